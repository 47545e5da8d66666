import type { FastifyReply, FastifyRequest } from 'fastify'

/** For routes whose answers hold secrets: nobody on the way keeps them (RFC 6749 section 5.1). */
export const noStore = async (_request: FastifyRequest, reply: FastifyReply) =>
  void reply.header('cache-control', 'no-store')
