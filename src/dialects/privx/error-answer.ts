import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorCode } from '../../errors.ts'
import { windowSeconds } from '../../identity/call-limiter.ts'
import { noRoute, refusalOf } from '../shared/refusal.ts'
import { wireErrors } from './errors.ts'
import { grantMembers } from './wire/grant-words.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What services call the list that the whole body of this route is. */
    bodyIs?: string
  }
}

const statusOf = (code: ErrorCode): number => wireErrors[code].status

/** The one place where an error becomes an answer outside the OAuth endpoints (contract privx §1.2). */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, message, field, violations } = refusalOf(error, request, statusOf)
  const { status, errorCode } = wireErrors[code]
  const { bodyIs } = request.routeOptions.config
  const property = propertyOf(code, field === null ? null : withinBody(field, bodyIs))
  return answer(reply, status, {
    error_code: errorCode,
    error_message: message,
    ...(property !== null && { property }),
    ...(violations.length > 0 && {
      details: violations.map((violation) => ({
        error_code: errorCode,
        error_message: violation.message,
        property: violation.field,
      })),
    }),
  })
}

function withinBody(field: string, bodyIs: string | undefined): string {
  return bodyIs !== undefined && field.startsWith(`${bodyIs}[`) ? field.slice(bodyIs.length) : field
}

/** The engine names stages and the terms of a grant its own way; everywhere else a member is named as the client wrote it. */
function propertyOf(code: ErrorCode, field: string | null): string | null {
  if (code === 'STAGE_NOT_OPEN') return 'step'
  if (code !== 'GRANT_TERMS_INVALID' || field === null) return field
  const [, place = '', member = ''] = /^(.*\.)?(\w+)$/.exec(field) ?? []
  return Object.hasOwn(grantMembers, member) ? `${place}${grantMembers[member as keyof typeof grantMembers]}` : field
}

/** What the framework refuses of a path under our prefixes before any route is found. */
export function answerUnroutable(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // An id that nothing can have names nothing (contract privx §1).
  const isTooLong = (error as { readonly code?: unknown } | null)?.code === 'FST_ERR_MAX_PARAM_LENGTH'
  return isTooLong ? answerUnknownRoute(request, reply) : answerError(error, request, reply)
}

export function answerUnknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return answerError(noRoute(request), request, reply)
}

/** The answer of an OAuth endpoint (RFC 6749 section 5.2). */
export function answerOauthError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, message } = refusalOf(error, request, statusOf)
  const { status } = wireErrors[code]
  const name = oauthErrors[code] ?? (status < 500 ? 'invalid_request' : 'server_error')
  if (name === 'invalid_client') reply.header('www-authenticate', 'Basic realm="OAuth client"')
  // A code or a token that is refused here is a grant, not the caller's own access token.
  return answer(reply, name === 'invalid_grant' ? 400 : status, { error: name, error_description: message })
}

const oauthErrors: Partial<Record<ErrorCode, string>> = {
  OAUTH_INVALID_CLIENT: 'invalid_client',
  OAUTH_INVALID_GRANT: 'invalid_grant',
  OAUTH_UNSUPPORTED_GRANT_TYPE: 'unsupported_grant_type',
  CREDENTIALS_INVALID: 'invalid_grant',
  CALLER_USER_NOT_FOUND: 'invalid_grant',
  CALLER_AGENT_NOT_FOUND: 'invalid_grant',
  REFRESH_TOKEN_NOT_FOUND: 'invalid_grant',
  REFRESH_TOKEN_EXPIRED: 'invalid_grant',
  REFRESH_TOKEN_ENTITY_MISMATCH: 'invalid_grant',
  REFRESH_TOKEN_REVOKED: 'invalid_grant',
  REFRESH_TOKEN_REUSE_DETECTED: 'invalid_grant',
  REFRESH_TOKEN_CONCURRENT_UPDATE: 'invalid_grant',
}

function answer(reply: FastifyReply, status: number, body: object): FastifyReply {
  // Every limit counts by the minute, so that nobody has to wait for longer.
  if (status === 429 && !reply.hasHeader('retry-after')) reply.header('retry-after', windowSeconds)
  return reply.code(status).type('application/json; charset=utf-8').send(body)
}
