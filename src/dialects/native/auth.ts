import type { FastifyRequest } from 'fastify'
import type { Lever } from '../../config/config.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { accessTokenVerifier } from '../../identity/access-token.ts'
import type { Caller } from '../../identity/actor.ts'
import { onceOf } from './idempotency.ts'
import { machineCaller } from './machine-auth.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who the access token names. Set on every route that is not public. */
    caller: Caller
  }
  interface FastifyContextConfig {
    /** Needs no access token. */
    public?: boolean
    /** A lever that switches this route off (contract §7.5). */
    lever?: Lever
  }
}

/** Checks the access token of every route that is not public. Whether the caller still exists is read with what they ask for. */
export function authenticator(ctx: Ctx): (request: FastifyRequest) => Promise<void> {
  const verify = accessTokenVerifier(ctx.keys.token, ctx.clock)
  return async (request) => {
    if (request.routeOptions.config.public === true || request.is404) return
    const token = bearerToken(request)
    request.caller = (await machineCaller(ctx, request, token)) ?? { ...(await verify(token)), once: null }
  }
}

function bearerToken(request: FastifyRequest): string {
  const [scheme, token, ...rest] = (request.headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0) throw new AppError('MISSING_JWT_TOKEN')
  return token
}

/**
 * The Idempotency-Key belongs to the caller, so it is read once both they and the body are known. An API key has its own:
 * it is not given the answers that its principal got, which may hold secrets.
 */
export function readIdempotencyKey(request: FastifyRequest): void {
  const isSignedIn = request.caller !== undefined && request.caller !== null
  if (!isSignedIn || request.headers['idempotency-key'] === undefined) return
  const { principalId, machine } = request.caller
  const owner = machine?.kind === 'api-key' ? machine.id : principalId
  request.caller = { ...request.caller, once: onceOf(request, owner) }
}
