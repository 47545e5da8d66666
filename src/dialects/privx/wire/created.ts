import type { FastifyReply, FastifyRequest } from 'fastify'
import { pathOf } from '../../shared/paths.ts'

/** Answers 201 with the id of what was made and the path that it is at (contract privx §1). */
export function answerCreated(request: FastifyRequest, reply: FastifyReply, id: string): FastifyReply {
  const path = pathOf(request).replace(/\/+$/, '')
  return reply.code(201).header('location', `${path}/${id}`).send({ id })
}
