import type { FastifyRequest } from 'fastify'
import { AppError, type ErrorCode } from '../../errors.ts'
import { pathOf } from './paths.ts'

/**
 * What an error is to whoever called. A fault shows no detail; it is logged here, once, and so is what made a dialect answer
 * with a status of 500 and above.
 */
export function refusalOf(error: unknown, request: FastifyRequest, statusOf: (code: ErrorCode) => number): AppError {
  const refusal = error instanceof AppError ? error : frameworkRefusal(error)
  if (refusal === null) {
    request.log.error({ err: error, ...namesOf(request) }, 'fault')
    return new AppError('UNKNOWN_ERROR', 'Something went wrong on our side.')
  }
  if (refusal.cause !== undefined && statusOf(refusal.code) >= 500) {
    request.log.error({ err: refusal.cause ?? refusal, ...namesOf(request) }, 'refused by a fault')
  }
  return refusal
}

/** That no route takes this method of this path. */
export function noRoute(request: FastifyRequest): AppError {
  return new AppError('NOT_FOUND', `No route ${request.method} ${pathOf(request)}.`)
}

/** Which request a log line is about: never its headers or body, which hold tokens. */
function namesOf(request: FastifyRequest): object {
  return {
    requestId: request.id,
    traceId: request.traceId ?? null,
    method: request.method,
    route: request.routeOptions.url ?? null,
  }
}

/** What the framework itself refuses before a handler runs; null for a fault. */
function frameworkRefusal(error: unknown): AppError | null {
  const { code, statusCode, message } = (error ?? {}) as { code?: unknown; statusCode?: unknown; message?: unknown }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new AppError('BODY_TOO_LARGE')
  if (isLostStore(code, message)) return new AppError('SERVICE_UNAVAILABLE', undefined, { cause: error })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new AppError('MALFORMED_REQUEST', String(message), { cause: error })
  }
  return null
}

/**
 * What a PostgreSQL that stops, starts or cannot be reached gives: errors of the socket, SQLSTATE class 08, 57P01 to 57P03
 * and 53300, and those of `pg`, which have no code.
 */
function isLostStore(code: unknown, message: unknown): boolean {
  if (typeof code === 'string') return lostCodes.test(code)
  return code === undefined && typeof message === 'string' && lostMessages.test(message)
}

const lostCodes = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|08...|57P0[123]|53300)$/
const lostMessages =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/
