import { calculateJwkThumbprint, type JWK } from 'jose'
import { AppError } from '../../errors.ts'
import type { AgentKey } from './agent-key.ts'
import { isSameAddress } from './proof-address.ts'
import { agentAlgorithm, isSignedBy, isTime, readJwt, type UnverifiedJwt } from './signed-jwt.ts'

/** The call that a proof must have been made for. */
export interface ProvenCall {
  readonly method: string
  /** As clients reach it, whatever the Host header says once a public URL is configured. */
  readonly url: string
}

export interface Proof {
  readonly jti: string
  readonly claims: Readonly<Record<string, unknown>>
}

const maxAgeSeconds = 300
const clockSkewSeconds = 30

/**
 * Checks a DPoP proof (RFC 9449 section 4.3) against the key that the agent is registered with. The seed's form has no
 * `jwk` header; where there is one it must be that same key (contract §6.6). Whether it was seen before is for the caller.
 * @throws AppError DPOP_JWT_INVALID, DPOP_JWT_VERIFY_FAILED, DPOP_INVALID_SIGNATURE, DPOP_JWT_EXPIRED, DPOP_MISSING_*_CLAIM,
 * DPOP_INVALID_HTM_CLAIM, DPOP_INVALID_HTU_CLAIM, DPOP_HTU_URL_PARSING_FAILED
 */
export async function verifyProof(header: string, key: AgentKey, call: ProvenCall, now: Date): Promise<Proof> {
  // Two headers arrive as one, with a comma between them, which no JWT has.
  const jwt = readJwt(header.trim())
  if (jwt === null) throw new AppError('DPOP_JWT_INVALID')
  checkHeader(jwt)
  await checkEmbeddedKey(jwt, key)
  if (!(await isSignedBy(key, jwt))) throw new AppError('DPOP_INVALID_SIGNATURE')
  const jti = requireText(jwt, 'jti', 'DPOP_MISSING_JTI_CLAIM')
  const method = requireText(jwt, 'htm', 'DPOP_MISSING_HTM_CLAIM')
  const address = requireText(jwt, 'htu', 'DPOP_MISSING_HTU_CLAIM')
  checkTimes(jwt, now)
  if (method !== call.method) throw new AppError('DPOP_INVALID_HTM_CLAIM')
  if (!isSameAddress(address, call.url)) throw new AppError('DPOP_INVALID_HTU_CLAIM')
  return { jti, claims: jwt.claims }
}

function checkHeader({ header: { typ, alg, crit } }: UnverifiedJwt): void {
  if (typ !== 'dpop+jwt') refuse('typ must be dpop+jwt')
  if (alg !== agentAlgorithm) refuse(`alg must be ${agentAlgorithm}`)
  if (crit !== undefined) refuse('crit names an extension that is not known here')
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

async function checkEmbeddedKey({ header: { jwk } }: UnverifiedJwt, key: AgentKey): Promise<void> {
  if (jwk === undefined) return
  const embedded = (jwk ?? {}) as JWK
  const { kty, n, e } = embedded
  if (kty !== 'RSA' || !isText(n) || !isText(e)) return refuse('jwk must be an RSA public key')
  if (privateMembers.some((member) => Object.hasOwn(embedded, member))) return refuse('jwk holds a private key')
  if ((await calculateJwkThumbprint({ kty, n, e })) !== key.thumbprint) throw new AppError('DPOP_INVALID_SIGNATURE')
}

function checkTimes({ claims: { iat, exp, nbf } }: UnverifiedJwt, now: Date): void {
  const seconds = now.getTime() / 1000
  if (!isTime(iat)) throw new AppError('DPOP_MISSING_IAT_CLAIM')
  if (seconds - iat > maxAgeSeconds + clockSkewSeconds) throw new AppError('DPOP_JWT_EXPIRED')
  if (iat > seconds + clockSkewSeconds) refuse('iat is in the future')
  // A proof needs neither of these, but what it says of itself holds (RFC 7519 sections 4.1.4 and 4.1.5).
  if (exp !== undefined && !(isTime(exp) && exp + clockSkewSeconds > seconds)) throw new AppError('DPOP_JWT_EXPIRED')
  if (nbf !== undefined && !(isTime(nbf) && nbf <= seconds + clockSkewSeconds)) refuse('nbf is in the future')
}

type MissingClaim = 'DPOP_MISSING_JTI_CLAIM' | 'DPOP_MISSING_HTM_CLAIM' | 'DPOP_MISSING_HTU_CLAIM'

function requireText({ claims }: UnverifiedJwt, name: string, code: MissingClaim): string {
  const value = claims[name]
  if (!isText(value)) throw new AppError(code)
  return value
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function refuse(problem: string): never {
  throw new AppError('DPOP_JWT_VERIFY_FAILED', `The proof is not accepted: ${problem}.`)
}
