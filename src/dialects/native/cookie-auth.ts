import type { FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { AccessClaims, VerifyAccessToken } from '../../identity/access-token.ts'
import type { StepUp } from '../../identity/actor.ts'
import { cookies, readCookie } from './cookies.ts'
import { requireOwnSite } from './own-site.ts'

const reading = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A browser sends cookies by itself, whoever made it call: what changes anything must come from our own pages. */
export async function claimsOfCookies(
  ctx: Ctx,
  verify: VerifyAccessToken,
  request: FastifyRequest,
): Promise<AccessClaims> {
  const token = readCookie(request, cookies.access)
  if (token === undefined) throw new AppError('MISSING_JWT_TOKEN')
  if (!reading.has(request.method)) requireOwnSite(ctx, request)
  const claims = await verify(token)
  // Cookies are for people, and a token that is bound to a key is worth nothing without its proof.
  if (claims.kind !== 'human' || claims.jkt !== null) throw new AppError('JWT_TOKEN_INVALID')
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
