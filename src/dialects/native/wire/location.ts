import type { FastifyRequest } from 'fastify'
import type { Ctx } from '../../../context.ts'

/** The Location of what a call has made: `{scheme}://{host}{path}/{id}` (contract §0). */
export function locationOf(ctx: Ctx, request: FastifyRequest, id: string, path: string = pathOf(request)): string {
  const origin = ctx.config.publicUrl ?? (request.host ? `${request.protocol}://${request.host}` : ctx.publicUrl)
  return `${origin}${path}/${id}`
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? ''
}
