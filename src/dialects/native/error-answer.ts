import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { continueTrace } from '../../trace.ts'
import { noRoute, refusalOf } from '../shared/refusal.ts'
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
  const { code, message, field } = refusalOf(error, request, (known) => wireErrors[known].status)
  const { status, code: wireCode = code, challenge = null } = wireErrors[code]
  return { status, code: wireCode, message, field, challenge }
}

export function answerUnknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return answerError(noRoute(request), request, reply)
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
