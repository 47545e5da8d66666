import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../errors.ts'
import { wireErrors } from './errors.ts'

/** The one place where an error becomes an answer: `{code, message, details?}` (contract §0). Faults show no detail. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = error instanceof AppError ? error : refusalOf(error)
  if (refusal === null) request.log.error({ err: error, ...namesOf(request) }, 'fault')
  const { code, message, field } = refusal ?? new AppError('UNKNOWN_ERROR', 'Something went wrong on our side.')
  const { status, code: wireCode = code } = wireErrors[code]
  if (refusal?.cause !== undefined && status >= 500)
    request.log.error({ err: refusal.cause ?? refusal, ...namesOf(request) }, 'refused by a fault')
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send({ code: wireCode, message, ...(field !== null && { details: [{ field, message }] }) })
}

/** Which request a log line is about: never its headers or body, which hold tokens. */
function namesOf(request: FastifyRequest): object {
  return { requestId: request.id, method: request.method, route: request.routeOptions.url ?? null }
}

/** What the framework itself refuses before a handler runs; null for a fault. */
function refusalOf(error: unknown): AppError | null {
  const { code, statusCode, message } = (error ?? {}) as { code?: unknown; statusCode?: unknown; message?: unknown }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new AppError('BODY_TOO_LARGE')
  if (code === 'ECONNREFUSED' || code === '57P01' || code === '57P03')
    return new AppError('SERVICE_UNAVAILABLE', undefined, { cause: error })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new AppError('MALFORMED_REQUEST', String(message), { cause: error })
  }
  return null
}

export function answerUnknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return answerError(
    new AppError('NOT_FOUND', `No route ${request.method} ${request.url.split('?', 1)[0]}.`),
    request,
    reply,
  )
}
