import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { signIn } from '../../../identity/oidc/sign-in.ts'
import { startSignIn } from '../../../identity/oidc/start-sign-in.ts'
import { refreshTokens } from '../../../identity/refresh-tokens.ts'
import { noStore } from '../../shared/no-store.ts'
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

/**
 * Signing in from the command line, and staying signed in (contract §1.1, §6.2, §6.5). An Idempotency-Key is ignored here:
 * the answers are one caller's secrets, and nothing tells apart two who have not signed in and share an address.
 */
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
      const flow = await startSignIn(ctx, null, { purpose: 'login', redirectUri })
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
      return await signIn(ctx, proof, deviceOf(request, 'cli'))
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
      return await refreshTokens(ctx, 'human', refreshToken)
    },
  )
}
