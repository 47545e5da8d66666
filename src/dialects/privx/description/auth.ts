import { Type } from 'typebox'
import type { CallDescriptions } from '../../shared/api-description.ts'
import { done, maybe, statusCall } from './shapes.ts'

/** Contract privx §2. */

const tokens = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  refresh_token: Type.String(),
  scope: Type.String(),
})
const oauthRefusals = 'Refusals are those of RFC 6749: `{error, error_description}`.'

export const authCalls: CallDescriptions = {
  'GET /auth/api/v1/status': statusCall,
  'POST /auth/api/v1/oauth/token': {
    summary: 'Get an access token by a password, a code or a refresh token',
    description: `A password needs the OAuth client in a header Basic. ${oauthRefusals}`,
    security: [{ basic: [] }, {}],
    consumes: 'application/x-www-form-urlencoded',
    body: Type.Object({
      grant_type: Type.Enum(['password', 'authorization_code', 'refresh_token']),
      username: maybe(Type.String()),
      password: maybe(Type.String()),
      client_id: maybe(Type.String()),
      redirect_uri: maybe(Type.String()),
      code: maybe(Type.String()),
      code_verifier: maybe(Type.String()),
      refresh_token: maybe(Type.String()),
    }),
    answers: { 200: tokens },
  },
  'GET /auth/api/v1/oauth/authorize': {
    summary: 'Begin to sign in with a code; PKCE is a must',
    description: `The login session is in the header Location. ${oauthRefusals}`,
    security: [],
    query: {
      client_id: Type.Literal('privx-ui'),
      redirect_uri: Type.Literal('/privx/oauth-callback'),
      response_type: Type.Literal('code'),
      code_challenge_method: Type.Literal('S256'),
      code_challenge: Type.String(),
      state: Type.String({ maxLength: 1024 }),
    },
    answers: { 307: Type.Null({ description: 'No body.' }) },
  },
  'POST /auth/api/v1/oauth/clientcredentials/privx-external/token': {
    summary: 'Get an access token as an API client',
    description: oauthRefusals,
    security: [],
    body: Type.Object({
      grant_type: Type.Literal('client_credentials'),
      client_id: Type.String(),
      client_secret: Type.String(),
    }),
    answers: { 200: tokens },
  },
  'POST /auth/api/v1/login': {
    summary: 'Give name and password for a login session',
    security: [],
    body: Type.Object({ token: Type.String(), username: Type.String(), password: Type.String() }),
    answers: { 200: Type.Object({ code: Type.String(), state: Type.String() }) },
  },
  'POST /auth/api/v1/token/login': {
    summary: 'Sign in with a token of the configured OpenID provider',
    security: [],
    body: Type.Object({ token: Type.String({ maxLength: 65_536 }) }),
    answers: { 200: tokens },
  },
  'POST /auth/api/v1/logout': { summary: 'End the sign-in', answers: { 200: done } },
}
