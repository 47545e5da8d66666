import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../errors.ts'
import { continueTrace } from '../../trace.ts'
import { wireErrors } from './errors.ts'

/** The one place where an error becomes an answer: `{code, message, details?}` (contract §0). Faults show no detail. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, code, message, field, challenge } = wireErrorOf(error, request)
  if (challenge !== null) reply.header('www-authenticate', challenge)
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send({ code, message, ...(field !== null && { details: [{ field, message }] }) })
}

export interface WireError {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly field: string | null
  /** For the header WWW-Authenticate. */
  readonly challenge: string | null
}

/** What an error is on this wire. Faults are logged here, once. */
export function wireErrorOf(error: unknown, request: FastifyRequest): WireError {
  const refusal = error instanceof AppError ? error : refusalOf(error)
  if (refusal === null) request.log.error({ err: error, ...namesOf(request) }, 'fault')
  const { code, message, field } = refusal ?? new AppError('UNKNOWN_ERROR', 'Something went wrong on our side.')
  const { status, code: wireCode = code, challenge = null } = wireErrors[code]
  if (refusal?.cause !== undefined && status >= 500)
    request.log.error({ err: refusal.cause ?? refusal, ...namesOf(request) }, 'refused by a fault')
  return { status, code: wireCode, message, field, challenge }
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
function refusalOf(error: unknown): AppError | null {
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

export function answerUnknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return answerError(
    new AppError('NOT_FOUND', `No route ${request.method} ${request.url.split('?', 1)[0]}.`),
    request,
    reply,
  )
}

const unreadable: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The address and the headers are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive.'],
}

/** Answers what never became a request: no framework stands between us and the socket here. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [status, message] = unreadable[error.code ?? ''] ?? [400, 'This is not an HTTP request.']
  const body = JSON.stringify({ code: 'MALFORMED_REQUEST', message })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `traceparent: ${continueTrace(undefined).traceparent}`,
    'Connection: close',
  ]
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroy(error)
}
