import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError, type ErrorCode } from '../../errors.ts'
import { pathOf } from '../shared/paths.ts'
import { noRoute, refusalOf } from '../shared/refusal.ts'
import { statuses } from './errors.ts'

/** The one place where an error becomes an answer: its text on one line, and nothing else (contract fortanix §1.1). */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error, request, statusOf)
  return reply.code(statusOf(refusal.code)).type('text/plain').send(textOf(refusal))
}

export function statusOf(code: ErrorCode): number {
  return statuses[code]
}

/** What a client reads of a refusal, here and as the result of an operation that failed. */
export function textOf({ message, violations }: AppError): string {
  const text = violations.length === 0 ? message : violations.map((violation) => violation.message).join(' ')
  return text.replace(/\s+/g, ' ').trim()
}

/** @param isPath whether another method of the path is known */
export function answerUnknownRoute(request: FastifyRequest, reply: FastifyReply, isPath: boolean): FastifyReply {
  const otherMethod = () => new AppError('METHOD_NOT_ALLOWED', `No method ${request.method} ${pathOf(request)}.`)
  return answerError(isPath ? otherMethod() : noRoute(request), request, reply)
}
