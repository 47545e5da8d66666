import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { signIn } from '../../../identity/oidc/sign-in.ts'
import { startSignIn } from '../../../identity/oidc/start-sign-in.ts'
import { refreshTokens } from '../../../identity/refresh-tokens.ts'
import type { Once } from '../../../store/unit-of-work.ts'
import { onceOf } from '../idempotency.ts'
import { noStore } from '../no-store.ts'
import { answers } from '../wire/schemas.ts'
import {
  AuthorizationUrlSchema,
  deviceOf,
  parseCodeAndState,
  parseInitiate,
  parseRefresh,
  TokenPairSchema,
} from '../wire/sign-in.ts'

const tags = ['Authentication']

/** Signing in from the command line, and staying signed in (contract §1.1, §6.2, §6.5). */
export function cliSignInRoutes(app: FastifyInstance, ctx: Ctx): void {
  const config = { public: true }

  app.post(
    '/auth/cli/initiate',
    {
      config,
      onSend: noStore,
      schema: {
        tags,
        summary: 'Start a sign-in: where to send the person',
        security: [],
        response: answers({ 200: AuthorizationUrlSchema }),
      },
    },
    async (request) => {
      const { redirectUri } = parseInitiate(request.body)
      const flow = await startSignIn(ctx, onceOfAddress(request), { purpose: 'login', redirectUri })
      return { authorizationUrl: flow.authorizationUrl }
    },
  )

  app.post(
    '/auth/cli/token',
    {
      config,
      onSend: noStore,
      schema: {
        tags,
        summary: 'Finish a sign-in: code and state for tokens',
        security: [],
        response: answers({ 200: TokenPairSchema }),
      },
    },
    async (request) => {
      const proof = parseCodeAndState(request.body)
      return await signIn(ctx, onceOfAddress(request), proof, deviceOf(request, 'cli'))
    },
  )

  app.post(
    '/auth/cli/refresh',
    {
      config,
      onSend: noStore,
      schema: {
        tags,
        summary: 'Exchange a refresh token for a new pair',
        security: [],
        response: answers({ 200: TokenPairSchema }),
      },
    },
    async (request) => {
      const { refreshToken } = parseRefresh(request.body)
      return await refreshTokens(ctx, onceOfAddress(request), 'human', refreshToken)
    },
  )
}

/** Nobody has signed in yet, so an Idempotency-Key belongs to the address it comes from. */
function onceOfAddress(request: FastifyRequest): Once | null {
  return onceOf(request, `address:${request.ip}`)
}
