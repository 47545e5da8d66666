import type { FastifyRequest } from 'fastify'
import { AppError } from '../../../errors.ts'
import { accessTokenSeconds } from '../../../identity/access-token.ts'
import type { AuthorizationAsked, CodeRedeemed, Login } from '../../../identity/oauth/code-flow.ts'
import type { NameAndSecret } from '../../../identity/oauth/sign-in.ts'
import type { Device, TokenPair } from '../../../identity/token-pair.ts'
import { basicOf } from '../../shared/authorization.ts'
import { readBody } from '../../shared/members.ts'

/** The client that people sign in through: public, so it has no secret (contract privx §2). */
export const uiClientId = 'privx-ui'
const redirectUri = '/privx/oauth-callback'

/** The token object (contract privx §2). */
export function renderTokens({ accessToken, refreshToken }: TokenPair): object {
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: accessTokenSeconds,
    refresh_token: refreshToken,
    scope: 'privx-user',
  }
}

export type TokenAsked =
  | ({ readonly grant: 'password' } & NameAndSecret)
  | ({ readonly grant: 'authorization_code' } & CodeRedeemed)
  | { readonly grant: 'refresh_token'; readonly refreshToken: string }

/** @throws AppError OAUTH_INVALID_REQUEST, OAUTH_UNSUPPORTED_GRANT_TYPE, OAUTH_INVALID_CLIENT */
export function parseTokenForm(body: unknown): TokenAsked {
  const form = body instanceof URLSearchParams ? body : new URLSearchParams()
  const grant = needed(form, 'grant_type')
  switch (grant) {
    case 'password':
      return { grant, name: needed(form, 'username'), secret: needed(form, 'password') }
    case 'authorization_code':
      return {
        grant,
        clientId: uiClient(needed(form, 'client_id')),
        redirectUri: needed(form, 'redirect_uri'),
        code: needed(form, 'code'),
        verifier: needed(form, 'code_verifier'),
      }
    case 'refresh_token': {
      const clientId = only(form, 'client_id')
      if (clientId !== null) uiClient(clientId)
      return { grant, refreshToken: needed(form, 'refresh_token') }
    }
    default:
      throw new AppError('OAUTH_UNSUPPORTED_GRANT_TYPE')
  }
}

/** The pair of a Basic header (RFC 7617); null when there is none. @throws AppError OAUTH_INVALID_CLIENT */
export function clientOf(authorization: string | undefined): { readonly id: string; readonly secret: string } | null {
  if (authorization === undefined) return null
  const sent = basicOf(authorization, (text) => (/^[A-Za-z0-9+/=]+$/.test(text) ? Buffer.from(text, 'base64') : null))
  if (sent === null || sent === 'malformed') throw new AppError('OAUTH_INVALID_CLIENT')
  return { id: sent.name, secret: sent.secret }
}

/** @throws AppError OAUTH_INVALID_REQUEST, OAUTH_INVALID_CLIENT */
export function parseAuthorize(query: unknown): AuthorizationAsked {
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, string | string[]>)) {
    for (const one of [value].flat()) asked.append(name, one)
  }
  const clientId = uiClient(needed(asked, 'client_id'))
  if (needed(asked, 'redirect_uri') !== redirectUri) throw invalid(`redirect_uri must be ${redirectUri}`)
  if (needed(asked, 'response_type') !== 'code') throw invalid('response_type must be code')
  if (needed(asked, 'code_challenge_method') !== 'S256') throw invalid('code_challenge_method must be S256')
  const challenge = needed(asked, 'code_challenge')
  // RFC 7636 section 4.2: 32 bytes in base64url. Some clients leave the padding.
  if (!/^[\w-]{43}=?$/.test(challenge)) throw invalid('code_challenge must be 43 characters of base64url')
  const state = needed(asked, 'state')
  if (state.length > 1024) throw invalid('state must have at most 1024 characters')
  return { clientId, redirectUri, state, challenge: challenge.replace('=', '') }
}

/** Where the client finds the login session; there is no page behind it. */
export function loginLocation(session: string): string {
  return `/privx/login?token=${encodeURIComponent(session)}`
}

/** @throws AppError INVALID_MEMBER */
export function parseLogin(body: unknown): Login {
  return readBody(body, (members) => ({
    username: members.neededText('username'),
    password: members.neededText('password'),
    session: members.neededText('token'),
  }))
}

/** The externally issued token. @throws AppError INVALID_MEMBER */
export function parseTokenLogin(body: unknown): string {
  return readBody(body, (members) => members.neededText('token', { max: 65_536 }))
}

/** @throws AppError OAUTH_INVALID_REQUEST, OAUTH_UNSUPPORTED_GRANT_TYPE */
export function parseClientCredentials(body: unknown): NameAndSecret {
  const asked = readBody(body, (members) => ({
    grant: members.text('grant_type'),
    name: members.text('client_id') ?? '',
    secret: members.text('client_secret') ?? '',
  }))
  if (asked.grant === null || asked.grant === '') throw invalid('grant_type is needed')
  if (asked.grant !== 'client_credentials') throw new AppError('OAUTH_UNSUPPORTED_GRANT_TYPE')
  return asked
}

/** A person is shown their sign-ins by what they signed in with. */
export function deviceOf({ headers }: FastifyRequest): Device {
  return { channel: 'cli', userAgent: headers['user-agent'] ?? null }
}

function uiClient(id: string): string {
  if (id !== uiClientId) throw new AppError('OAUTH_INVALID_CLIENT')
  return id
}

function needed(form: URLSearchParams, name: string): string {
  return only(form, name) ?? refuse(`${name} is needed`)
}

/** A parameter that is empty counts as absent, and none may come twice (RFC 6749 section 3.2). */
function only(form: URLSearchParams, name: string): string | null {
  const values = form.getAll(name)
  if (values.length > 1) throw invalid(`${name} must be given once`)
  return values[0] === undefined || values[0] === '' ? null : values[0]
}

function refuse(problem: string): never {
  throw invalid(problem)
}

function invalid(problem: string): AppError {
  return new AppError('OAUTH_INVALID_REQUEST', `${problem}.`)
}
