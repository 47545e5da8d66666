import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError, type ErrorCode } from '../../errors.ts'
import { refusalOf } from '../shared/refusal.ts'
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

export function answerUnknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return answerError(new AppError('NOT_FOUND', `No route ${routeOf(request)}.`), request, reply)
}

export function answerWrongMethod(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return answerError(new AppError('METHOD_NOT_ALLOWED', `No method ${routeOf(request)}.`), request, reply)
}

function routeOf({ method, url }: FastifyRequest): string {
  return `${method} ${url.split('?', 1)[0]}`
}
