import type { FastifyReply, FastifyRequest } from 'fastify'

/** Answers 201 with the `Location` of what was made and no body (contract §0). */
export function answerCreated(request: FastifyRequest, reply: FastifyReply, id: string): FastifyReply {
  return reply.code(201).header('Location', locationOf(request, id)).send()
}

/** `{scheme}://{host}{request path}/{id}` */
export function locationOf(request: FastifyRequest, id: string): string {
  const [path] = request.url.split('?', 1)
  return `${request.protocol}://${request.host}${path}/${encodeURIComponent(id)}`
}
