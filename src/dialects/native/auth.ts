import type { FastifyRequest } from 'fastify'
import type { Lever } from '../../config/config.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { accessTokenVerifier, type AccessClaims, type VerifyAccessToken } from '../../identity/access-token.ts'
import type { Caller, StepUp } from '../../identity/actor.ts'
import { cookies, readCookie } from './cookies.ts'
import { onceOf } from './idempotency.ts'
import { requireOwnSite } from './own-site.ts'

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
    /** May need a step-up, which a browser brings as a cookie of its own. */
    stepUp?: boolean
  }
}

/** Checks the access token of every route that is not public. Whether the caller still exists is read with what they ask for. */
export function authenticator(ctx: Ctx): (request: FastifyRequest) => Promise<void> {
  const verify = accessTokenVerifier(ctx.keys.token, ctx.clock)
  return async (request) => {
    if (request.routeOptions.config.public === true || request.is404) return
    const claims =
      request.headers.authorization === undefined
        ? await claimsOfCookies(ctx, verify, request)
        : await verify(bearerToken(request.headers.authorization))
    // Where step-up is switched off, what was handed out before is good no longer.
    request.caller = { ...claims, stepUp: ctx.config.stepUp ? claims.stepUp : null, once: null }
  }
}

function bearerToken(authorization: string): string {
  const [scheme, token, ...rest] = authorization.split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0) throw new AppError('MISSING_JWT_TOKEN')
  return token
}

const reading = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A browser sends cookies by itself, whoever made it call: what changes anything must come from our own pages. */
async function claimsOfCookies(ctx: Ctx, verify: VerifyAccessToken, request: FastifyRequest): Promise<AccessClaims> {
  const token = readCookie(request, cookies.access)
  if (token === undefined) throw new AppError('MISSING_JWT_TOKEN')
  if (!reading.has(request.method)) requireOwnSite(ctx, request)
  const claims = await verify(token)
  if (request.routeOptions.config.stepUp !== true) return claims
  return { ...claims, stepUp: await stepUpOfCookie(verify, request, claims) }
}

/** The step-up of the same sign-in; any other cookie of that name is left over from before, and counts as none. */
async function stepUpOfCookie(
  verify: VerifyAccessToken,
  request: FastifyRequest,
  { orgId, principalId, sessionId, stepUp }: AccessClaims,
): Promise<StepUp | null> {
  const token = readCookie(request, cookies.privilege)
  if (token === undefined) return stepUp
  const claims = await verify(token).catch(nullOnRefusal)
  const isOwn = claims?.orgId === orgId && claims.principalId === principalId && claims.sessionId === sessionId
  return isOwn ? claims.stepUp : null
}

function nullOnRefusal(error: unknown): null {
  if (error instanceof AppError) return null
  throw error
}

/** The Idempotency-Key belongs to the caller, so it is read once both they and the body are known. */
export function readIdempotencyKey(request: FastifyRequest): void {
  const isSignedIn = request.caller !== undefined && request.caller !== null
  if (!isSignedIn || request.headers['idempotency-key'] === undefined) return
  request.caller = { ...request.caller, once: onceOf(request, request.caller.principalId) }
}
