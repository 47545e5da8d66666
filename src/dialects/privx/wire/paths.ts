import type { FastifyReply, FastifyRequest } from 'fastify'
import { idOf } from './ids.ts'
import { unknownId } from './read.ts'

/** The id that a path ends in; whatever is not of the form of one names nothing (contract privx §1). */
export function idInPath(text: string): string {
  return idOf(text) ?? unknownId
}

/** Where what was made is read: below the path that it was made at. */
export function answerCreated(request: FastifyRequest, reply: FastifyReply, id: string): FastifyReply {
  const [path = ''] = request.url.split('?', 1)
  return reply
    .code(201)
    .header('Location', `${path.replace(/\/$/, '')}/${id}`)
    .send({ id })
}
