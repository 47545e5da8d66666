import type { FastifyRequest } from 'fastify'

/** Where what was just made is to be found (contract §0). */
export function locationOf(request: FastifyRequest, id: string): string {
  return `${request.protocol}://${request.host}${request.url.split('?', 1)[0]}/${id}`
}
