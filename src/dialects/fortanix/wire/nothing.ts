import type { FastifyReply } from 'fastify'

/** 204, where nothing is returned. */
export function nothing(reply: FastifyReply): FastifyReply {
  return reply.code(204).send()
}
