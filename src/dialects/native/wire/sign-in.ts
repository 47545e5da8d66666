import { Type } from 'typebox'
import { AppError, type ErrorCode } from '../../../errors.ts'
import type { FastifyRequest } from 'fastify'
import { stepUpOperations } from '../../../identity/access-token.ts'
import type { StepUpRequest } from '../../../identity/oidc/exchange-step-up.ts'
import { isLoopbackRedirect } from '../../../identity/oidc/loopback-redirect.ts'
import type { FlowProof } from '../../../identity/oidc/sign-in-flow.ts'
import type { Device } from '../../../identity/token-pair.ts'
import { idOrName } from './ids.ts'
import type { Query } from './pages.ts'
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
export function parseCodeAndState(body: unknown): FlowProof {
  const fields = bodyOr(body, 'REQUEST_EMPTY_BODY')
  return {
    code: requiredText(fields, 'code', { missing: 'REQUEST_MISSING_CODE', invalid: 'REQUEST_INVALID_CODE' }),
    state: requiredText(fields, 'state', { missing: 'REQUEST_MISSING_STATE', invalid: 'REQUEST_INVALID_STATE' }),
  }
}

/** @throws AppError as `parseCodeAndState`, and REQUEST_MISSING_OPERATION, REQUEST_INVALID_OPERATION, REQUEST_INVALID_RESOURCE_ID */
export function parseStepUp(body: unknown): StepUpRequest {
  const proof = parseCodeAndState(body)
  const fields = asObject(body)
  const text = requiredText(fields, 'operation', {
    missing: 'REQUEST_MISSING_OPERATION',
    invalid: 'REQUEST_INVALID_OPERATION',
  })
  const operation = stepUpOperations.find((known) => known === text) ?? refuse('REQUEST_INVALID_OPERATION', 'operation')
  const { resourceId } = fields
  if (resourceId === undefined) return { proof, operation, resource: null }
  if (typeof resourceId !== 'string' || resourceId === '') refuse('REQUEST_INVALID_RESOURCE_ID', 'resourceId')
  return { proof, operation, resource: idOrName(resourceId) }
}

/** Where a command-line client wants its step-up back; null when it does not say. @throws AppError AUTH_INVALID_REDIRECT_URI */
export function parseStepUpRedirect(query: unknown): string | null {
  const { redirectUri } = query as Query
  if (redirectUri === undefined) return null
  if (typeof redirectUri !== 'string' || !isLoopbackRedirect(redirectUri)) {
    refuse('AUTH_INVALID_REDIRECT_URI', 'redirectUri')
  }
  return redirectUri
}

/** What the caller tells of itself, for the list of sign-ins. */
export function deviceOf(request: FastifyRequest, channel: Device['channel']): Device {
  return { channel, userAgent: request.headers['user-agent'] ?? null }
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

export const AccessTokenSchema = Type.Object({ accessToken: Type.String() })

const text = Type.String({ minLength: 1 })

export const StepUpSchema = Type.Object({
  code: text,
  state: text,
  operation: Type.Enum([...stepUpOperations]),
  resourceId: Type.Optional(text),
})

export const ProvidersSchema = Type.Array(Type.Object({ id: text, displayName: text, loginUrl: text }))
