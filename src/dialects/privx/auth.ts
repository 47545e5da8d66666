import type { FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { accessTokenVerifier } from '../../identity/access-token.ts'
import type { Caller } from '../../identity/actor.ts'
import { requireBinding } from '../../identity/agents/token-binding.ts'
import { requireScope } from '../../identity/api-keys/access.ts'
import { authenticateApiKey } from '../../identity/api-keys/authenticate.ts'
import { apiKeyPrefix } from '../../identity/api-keys/secret.ts'
import { bearerOf } from '../shared/authorization.ts'
import '../shared/caller.ts'

/**
 * Checks the bearer token of every route that is not public (contract privx §2). Whether its sign-in goes on and its holder
 * still exists is read with what they ask for. An API key of the scope privx is as good.
 */
export function authenticator(ctx: Ctx): (request: FastifyRequest) => Promise<void> {
  const verify = accessTokenVerifier(ctx.keys.token, ctx.clock)
  return async (request) => {
    if (request.routeOptions.config.public === true || request.is404) return
    const token = bearerOf(request.headers.authorization)
    if (token === null) throw new AppError('MISSING_JWT_TOKEN')
    if (token.startsWith(apiKeyPrefix)) {
      request.caller = await authenticateApiKey(ctx, token)
      return
    }
    const claims = await verify(token)
    // A token that is bound to a key is no bearer, whatever it comes with.
    const call = { method: request.method, url: request.url }
    await requireBinding(ctx, claims, { scheme: 'Bearer', token, proof: undefined, call })
    const { orgId, principalId, kind, sessionId, expiresAt } = claims
    request.caller = { orgId, principalId, kind, sessionId, stepUp: null, expiresAt, once: null } satisfies Caller
  }
}

/** To be asked once the call has been counted. @throws AppError API_KEY_SCOPE_MISSING */
export function refuseMissingScope({ caller }: FastifyRequest): void {
  if (caller !== undefined && caller !== null) requireScope(caller, 'privx')
}
