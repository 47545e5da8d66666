import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { challengeAgent } from '../../../identity/agents/challenge.ts'
import { refreshAgent } from '../../../identity/agents/refresh.ts'
import { signInAgent } from '../../../identity/agents/sign-in.ts'
import { callOf, proofOf } from '../auth.ts'
import { noStore } from '../../shared/no-store.ts'
import {
  AssertionBodySchema,
  ChallengeBodySchema,
  ChallengeSchema,
  parseAssertion,
  parseChallengedName,
  requireProof,
} from '../wire/agent-sign-in.ts'
import { answers } from '../wire/schemas.ts'
import { parseRefresh, TokenPairSchema } from '../wire/sign-in.ts'

const tags = ['Authentication']

/**
 * Agents signing in with their key, and staying signed in (contract §1.3, §6.6). None takes an Idempotency-Key: what it
 * would answer again rests on a challenge or a proof that may be used once.
 */
export function agentSignInRoutes(app: FastifyInstance, ctx: Ctx): void {
  const config = { public: true }

  app.post(
    '/auth/agents/challenge',
    {
      config,
      onSend: noStore,
      schema: {
        tags,
        summary: 'A challenge that only the agent can read',
        security: [],
        body: ChallengeBodySchema,
        response: answers({ 200: ChallengeSchema }),
      },
    },
    async (request) => ({ challenge: await challengeAgent(ctx, parseChallengedName(request.body)) }),
  )

  app.post(
    '/auth/agents/token',
    {
      config,
      onSend: noStore,
      schema: {
        tags,
        summary: "Sign an agent in; a header DPoP binds the tokens to the agent's key",
        security: [],
        body: AssertionBodySchema,
        response: answers({ 200: TokenPairSchema }),
      },
    },
    async (request) => {
      const assertion = parseAssertion(request.body)
      return await signInAgent(ctx, { assertion, proof: proofOf(request) ?? null, call: callOf(ctx, request) })
    },
  )

  app.post(
    '/auth/agents/refresh',
    {
      config,
      onSend: noStore,
      schema: {
        tags,
        summary: "Exchange an agent's refresh token for a new pair, with a proof in the header DPoP",
        security: [],
        response: answers({ 200: TokenPairSchema }),
      },
    },
    async (request) => {
      const { refreshToken } = parseRefresh(request.body, 'REQUEST_EMPTY_BODY')
      const proof = requireProof(proofOf(request))
      return await refreshAgent(ctx, { refreshToken, proof, call: callOf(ctx, request) })
    },
  )
}
