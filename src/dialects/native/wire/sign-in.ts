import { Type } from 'typebox'
import { AppError, type ErrorCode } from '../../../errors.ts'
import { isLoopbackRedirect } from '../../../identity/oidc/loopback-redirect.ts'
import { asObject, refuse, type JsonObject } from './read.ts'

/** @throws AppError REQUEST_MISSING_REDIRECT_URI, REQUEST_INVALID_REDIRECT_URI, AUTH_INVALID_REDIRECT_URI */
export function parseInitiate(body: unknown): { redirectUri: string } {
  const fields = bodyOr(body, 'REQUEST_MISSING_REDIRECT_URI')
  const redirectUri = requiredText(fields, 'redirectUri', {
    missing: 'REQUEST_MISSING_REDIRECT_URI',
    invalid: 'REQUEST_INVALID_REDIRECT_URI',
  })
  if (!isLoopbackRedirect(redirectUri)) refuse('AUTH_INVALID_REDIRECT_URI', 'redirectUri')
  return { redirectUri }
}

/** @throws AppError REQUEST_EMPTY_BODY, REQUEST_MISSING_CODE, REQUEST_INVALID_CODE, REQUEST_MISSING_STATE, REQUEST_INVALID_STATE */
export function parseCodeAndState(body: unknown): { code: string; state: string } {
  const fields = bodyOr(body, 'REQUEST_EMPTY_BODY')
  return {
    code: requiredText(fields, 'code', { missing: 'REQUEST_MISSING_CODE', invalid: 'REQUEST_INVALID_CODE' }),
    state: requiredText(fields, 'state', { missing: 'REQUEST_MISSING_STATE', invalid: 'REQUEST_INVALID_STATE' }),
  }
}

/** @throws AppError `absent`, REQUEST_MISSING_REFRESH_TOKEN, REQUEST_INVALID_REFRESH_TOKEN */
export function parseRefresh(
  body: unknown,
  absent: ErrorCode = 'REQUEST_MISSING_REFRESH_TOKEN',
): { refreshToken: string } {
  const fields = bodyOr(body, absent)
  const refreshToken = requiredText(fields, 'refreshToken', {
    missing: 'REQUEST_MISSING_REFRESH_TOKEN',
    invalid: 'REQUEST_INVALID_REFRESH_TOKEN',
  })
  return { refreshToken }
}

function bodyOr(body: unknown, absent: ErrorCode): JsonObject {
  if (body === undefined || body === null) throw new AppError(absent)
  return asObject(body)
}

function requiredText(body: JsonObject, field: string, codes: { missing: ErrorCode; invalid: ErrorCode }): string {
  const value = body[field]
  if (value === undefined) return refuse(codes.missing, field)
  if (typeof value !== 'string' || value === '') return refuse(codes.invalid, field)
  return value
}

export const AuthorizationUrlSchema = Type.Object({ authorizationUrl: Type.String({ format: 'uri' }) })

export const TokenPairSchema = Type.Object({
  accessToken: Type.String(),
  refreshToken: Type.String(),
  tokenType: Type.Optional(Type.Literal('DPoP', { description: "The access token is bound to the agent's key." })),
})
