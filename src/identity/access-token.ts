import { decodeProtectedHeader, errors, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import { LRUCache } from 'lru-cache'
import { AppError, type ErrorCode } from '../errors.ts'
import type { Clock } from '../context.ts'
import type { PrincipalKind } from '../store/schema.ts'
import type { StepUp } from './actor.ts'

/** Life of an access token (contract §6.1). */
export const accessTokenSeconds = 3600
/** Life of a step-up token (contract §6.4). */
export const stepUpSeconds = 120
export const issuer = 'Quorate'
export const audience = 'quorate'

/** What the claims of an access token say (contract §6.1), once its signature has been checked. */
export interface AccessClaims {
  readonly orgId: string
  readonly principalId: string
  readonly kind: PrincipalKind
  /** The sign-in that the token comes from; null when it belongs to none. */
  readonly sessionId: string | null
  readonly stepUp: StepUp | null
  /** Thumbprint of the key that must prove itself with the token (RFC 9449 section 6.1); null for a bearer. */
  readonly jkt: string | null
  readonly expiresAt: Date
}

export interface TokenSubject {
  readonly orgId: string
  readonly principalId: string
  readonly kind: PrincipalKind
  readonly name: string
  readonly email: string | null
  readonly isAdmin: boolean
  readonly sessionId?: string | null
  /** Binds the token to the key of this RFC 7638 thumbprint. */
  readonly jkt?: string | null
}

/** Signs an access token; with `stepUp` one that is bound to one operation and lives two minutes. */
export async function signAccessToken(
  key: Uint8Array,
  clock: Clock,
  subject: TokenSubject,
  stepUp: StepUp | null = null,
): Promise<string> {
  const isHuman = subject.kind === 'human'
  const claims: JWTPayload = {
    name: subject.name,
    entityType: isHuman ? 'user' : 'agent',
    // Ours: which organization and which principal, so that an agent that is renamed stays itself.
    org: subject.orgId,
    principal: subject.principalId,
  }
  if (isHuman) Object.assign(claims, { email: subject.email, orgRole: subject.isAdmin ? 'admin' : 'member' })
  if (subject.sessionId) claims['sid'] = subject.sessionId
  if (typeof subject.jkt === 'string') claims['cnf'] = { jkt: subject.jkt }
  if (stepUp !== null) {
    Object.assign(claims, { jti: stepUp.tokenId, operation: stepUp.operation })
    if (stepUp.resource !== null) claims['resource'] = stepUp.resource
  }
  const issuedAt = Math.floor(clock.now().getTime() / 1000)
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject(isHuman ? subject.principalId : subject.name)
    .setAudience([audience])
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + (stepUp === null ? accessTokenSeconds : stepUpSeconds))
    .sign(key)
}

export type VerifyAccessToken = (token: string) => Promise<AccessClaims>

/**
 * A verifier for our own access tokens. A signature that verified once is remembered, its times are compared on every call.
 * @throws AppError with the codes of contract §0.1
 */
export function accessTokenVerifier(key: Uint8Array, clock: Clock): VerifyAccessToken {
  const verified = new LRUCache<string, { claims: AccessClaims; payload: JWTPayload }>({ max: 10_000 })
  return async (token) => {
    let known = verified.get(token)
    if (known === undefined) {
      const payload = await verifySignature(key, token)
      known = { payload, claims: claimsOf(payload) }
      verified.set(token, known)
    }
    checkTimes(known.payload, clock.now())
    return known.claims
  }
}

async function verifySignature(key: Uint8Array, token: string): Promise<JWTPayload> {
  try {
    decodeProtectedHeader(token)
  } catch (cause) {
    throw new AppError('JWT_TOKEN_MALFORMED', undefined, { cause })
  }
  try {
    // Times are compared below, with the server's own clock; the year 1970 keeps jose from doing it twice.
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      currentDate: new Date(0),
      clockTolerance: 1e12,
    })
    return payload
  } catch (cause) {
    throw new AppError(codeOf(cause), undefined, { cause })
  }
}

function codeOf(failure: unknown): ErrorCode {
  if (failure instanceof errors.JWTInvalid) return 'JWT_TOKEN_MALFORMED'
  // Signed by us, but a time is not a number.
  if (failure instanceof errors.JWTClaimValidationFailed) return 'INVALID_JWT_TOKEN_FORMAT'
  return 'JWT_TOKEN_INVALID'
}

function checkTimes({ exp = 0, nbf = 0, iat = 0 }: JWTPayload, now: Date): void {
  const seconds = now.getTime() / 1000
  if (exp <= seconds) throw new AppError('JWT_TOKEN_EXPIRED')
  if (nbf > seconds || iat > seconds + clockSkewSeconds) throw new AppError('JWT_TOKEN_EXPIRED_OR_NOT_YET_VALID')
}

const clockSkewSeconds = 60

/** What a step-up can be for (contract §1.1). */
export const stepUpOperations = ['vote', 'admin_action'] as const
export type StepUpOperation = (typeof stepUpOperations)[number]

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function claimsOf(payload: JWTPayload): AccessClaims {
  const { iss, aud, sub, iat, exp, name, entityType, org, principal, sid, jti, operation, resource, cnf } = payload
  const required = [iss, sub, name, entityType, org, principal]
  const isShaped =
    required.every((claim) => typeof claim === 'string' && claim !== '') &&
    Array.isArray(aud) &&
    iat !== undefined &&
    exp !== undefined
  if (!isShaped) throw new AppError('INVALID_JWT_TOKEN_FORMAT')
  if (iss !== issuer) throw new AppError('INVALID_ISSUER')
  if (!(aud as string[]).includes(audience)) throw new AppError('INVALID_AUDIENCE')
  if (entityType !== 'user' && entityType !== 'agent') throw new AppError('INVALID_ENTITY_TYPE')
  if (!uuid.test(org as string) || !uuid.test(principal as string)) throw new AppError('INVALID_JWT_TOKEN_FORMAT')
  if (sid !== undefined && (typeof sid !== 'string' || !uuid.test(sid))) throw new AppError('INVALID_JWT_TOKEN_FORMAT')
  return {
    orgId: org as string,
    principalId: principal as string,
    kind: entityType === 'user' ? 'human' : 'agent',
    sessionId: sid ?? null,
    stepUp: stepUpOf(jti, operation, resource),
    jkt: thumbprintOf(cnf),
    expiresAt: new Date((exp as number) * 1000),
  }
}

// Whatever we cannot read as a binding must not turn a bound token into a bearer.
function thumbprintOf(cnf: unknown): string | null {
  if (cnf === undefined) return null
  const { jkt } = (cnf ?? {}) as { jkt?: unknown }
  if (typeof jkt !== 'string' || jkt === '') throw new AppError('INVALID_JWT_TOKEN_FORMAT')
  return jkt
}

function stepUpOf(jti: unknown, claimed: unknown, resource: unknown): StepUp | null {
  if (claimed === undefined) return null
  const operation = stepUpOperations.find((known) => known === claimed)
  if (operation === undefined) throw new AppError('INVALID_STEP_UP_OPERATION')
  const isShaped = typeof jti === 'string' && jti !== '' && (resource === undefined || typeof resource === 'string')
  if (!isShaped) throw new AppError('INVALID_JWT_TOKEN_FORMAT')
  return { tokenId: jti, operation, resource: resource === undefined ? null : (resource as string) }
}
