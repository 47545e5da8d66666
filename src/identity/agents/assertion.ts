import { AppError } from '../../errors.ts'
import { audience } from '../access-token.ts'
import type { AgentKey } from './agent-key.ts'
import { isSignedBy, isTime, readJwt, type UnverifiedJwt } from './signed-jwt.ts'

/** What agents may call us in `aud`: the seed's name, and the audience of our own tokens (contract §10 ruling 1). */
const audiences: readonly unknown[] = ['Approvio', audience]

/** An assertion as it was sent, and the agent that it says it comes from. */
export interface UnverifiedAssertion {
  readonly jwt: UnverifiedJwt
  readonly issuer: string
}

/**
 * Reads a client assertion as far as is needed to find whose key must have signed it.
 * @throws AppError AGENT_CHALLENGE_INVALID_JWT_FORMAT, AGENT_CHALLENGE_MISSING_REQUIRED_CLAIM
 */
export function readAssertion(text: string): UnverifiedAssertion {
  const jwt = readJwt(text)
  // A proof (`dpop+jwt`) or any other kind of JWT signed by the same key is no assertion (RFC 8725 section 3.11).
  if (jwt === null || !isPlainJwt(jwt.header['typ'])) throw new AppError('AGENT_CHALLENGE_INVALID_JWT_FORMAT')
  return { jwt, issuer: requireText(jwt, 'iss') }
}

function isPlainJwt(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ))
}

/**
 * Checks an assertion as RFC 7523 section 3 asks, the signature before anything it says (contract §6.6).
 * @returns the nonce of the challenge that it answers
 * @throws AppError AGENT_CHALLENGE_INVALID_JWT_SIGNATURE, AGENT_CHALLENGE_MISSING_REQUIRED_CLAIM,
 * AGENT_CHALLENGE_INVALID_CLAIM_VALUE, AGENT_CHALLENGE_JWT_EXPIRED, AGENT_CHALLENGE_JWT_NOT_YET_VALID
 */
export async function verifyAssertion({ jwt, issuer }: UnverifiedAssertion, key: AgentKey, now: Date): Promise<string> {
  if (!(await isSignedBy(key, jwt))) throw new AppError('AGENT_CHALLENGE_INVALID_JWT_SIGNATURE')
  const subject = requireText(jwt, 'sub')
  const target = requireText(jwt, 'aud')
  const expiry = requireTime(jwt, 'exp')
  const nonce = requireText(jwt, 'jti')
  const notBefore = optionalTime(jwt, 'nbf') ?? 0
  optionalTime(jwt, 'iat')
  if (subject !== issuer) refuseValue('sub')
  if (!audiences.includes(target)) refuseValue('aud')
  const seconds = now.getTime() / 1000
  if (expiry <= seconds) throw new AppError('AGENT_CHALLENGE_JWT_EXPIRED')
  if (notBefore > seconds) throw new AppError('AGENT_CHALLENGE_JWT_NOT_YET_VALID')
  return nonce
}

function requireText({ claims }: UnverifiedJwt, name: string): string {
  const value = claims[name]
  if (typeof value !== 'string' || value === '') return refuseClaim(name)
  return value
}

function requireTime(jwt: UnverifiedJwt, name: string): number {
  return optionalTime(jwt, name) ?? refuseClaim(name)
}

function optionalTime({ claims }: UnverifiedJwt, name: string): number | null {
  const value = claims[name]
  if (value === undefined) return null
  return isTime(value) ? value : refuseClaim(name)
}

function refuseClaim(claim: string): never {
  throw new AppError(
    'AGENT_CHALLENGE_MISSING_REQUIRED_CLAIM',
    `The assertion needs a claim ${claim} of the right type.`,
  )
}

function refuseValue(claim: string): never {
  throw new AppError('AGENT_CHALLENGE_INVALID_CLAIM_VALUE', `The assertion's claim ${claim} is not accepted.`)
}
