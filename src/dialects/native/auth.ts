import type { FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { accessTokenVerifier, type AccessClaims, type VerifyAccessToken } from '../../identity/access-token.ts'
import { callerIdOf, loadActor, type Caller } from '../../identity/actor.ts'
import type { ProvenCall } from '../../identity/agents/proof.ts'
import { requireBinding } from '../../identity/agents/token-binding.ts'
import '../shared/caller.ts'
import { claimsOfCookies } from './cookie-auth.ts'
import { onceOf } from './idempotency.ts'
import { machineCaller } from './machine-auth.ts'
import { addressOf } from './wire/location.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** May need a step-up, which a browser brings as a cookie of its own. */
    stepUp?: boolean
  }
}

/**
 * Checks the credentials of every route that is not public: an `Authorization` header or, without one, a browser's cookies
 * (contract §0). Whether the caller still exists is read with what they ask for.
 */
export function authenticator(ctx: Ctx): (request: FastifyRequest) => Promise<void> {
  const verify = accessTokenVerifier(ctx.keys.token, ctx.clock)
  return async (request) => {
    const { public: isPublic } = request.routeOptions.config
    if (isPublic === true || request.is404) return
    const { authorization } = request.headers
    if (isPublic === 'unless-sent' && authorization === undefined) return
    if (authorization === undefined) {
      request.caller = callerOf(ctx, await claimsOfCookies(ctx, verify, request))
      return
    }
    const sent = credentialsOf(authorization)
    const machine = sent.scheme === 'Bearer' ? await machineCaller(ctx, request, sent.token) : null
    request.caller = machine ?? callerOf(ctx, await claimsOfToken(ctx, verify, request, sent))
  }
}

/** Where step-up is switched off, what was handed out before is good no longer. */
function callerOf(ctx: Ctx, { orgId, principalId, kind, sessionId, stepUp, expiresAt }: AccessClaims): Caller {
  return { orgId, principalId, kind, sessionId, stepUp: ctx.config.stepUp ? stepUp : null, expiresAt, once: null }
}

interface Credentials {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly token: string
}

const schemes = new Map([
  ['bearer', 'Bearer'],
  ['dpop', 'DPoP'],
] as const)

function credentialsOf(authorization: string): Credentials {
  const [name = '', token, ...rest] = authorization.split(' ')
  const scheme = schemes.get(name.toLowerCase() as 'bearer' | 'dpop')
  if (scheme === undefined || !token || rest.length > 0) throw new AppError('MISSING_JWT_TOKEN')
  return { scheme, token }
}

async function claimsOfToken(
  ctx: Ctx,
  verify: VerifyAccessToken,
  request: FastifyRequest,
  sent: Credentials,
): Promise<AccessClaims> {
  const claims = await verify(sent.token)
  await requireBinding(ctx, claims, { ...sent, proof: proofOf(request), call: callOf(ctx, request) })
  return claims
}

/** The header DPoP; several are told apart from one by the comma that joins them (RFC 9449 section 4.3 check 1). */
export function proofOf(request: FastifyRequest): string | undefined {
  const { dpop } = request.headers
  return Array.isArray(dpop) ? dpop.join(',') : dpop
}

/** The call that a proof must have been made for. */
export function callOf(ctx: Ctx, request: FastifyRequest): ProvenCall {
  return { method: request.method, url: addressOf(ctx, request) }
}

/** Whether this is a call of someone known that may be given an earlier answer. */
export function hasIdempotencyKey(request: FastifyRequest): boolean {
  const isSignedIn = request.caller !== undefined && request.caller !== null
  return isSignedIn && request.headers['idempotency-key'] !== undefined
}

/**
 * The Idempotency-Key belongs to the caller, so it is read once both they and the body are known. An API key has its own:
 * it is not given the answers that its principal got, which may hold secrets. An earlier answer is given before anything
 * else is asked, so whether the caller still is who they were is asked here.
 */
export async function readIdempotencyKey(ctx: Ctx, request: FastifyRequest): Promise<void> {
  const once = onceOf(request, callerIdOf(request.caller))
  if (once !== null) await loadActor(ctx.db, request.caller)
  request.caller = { ...request.caller, once }
}
