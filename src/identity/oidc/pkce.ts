import { createHash, randomBytes } from 'node:crypto'

/** Names one sign-in: 128 random bits, 22 characters (contract §6.2). */
export function newState(): string {
  return randomBytes(16).toString('base64url')
}

/** What only we know of a sign-in: 256 random bits, 43 characters (RFC 7636 section 4.1). */
export function newVerifier(): string {
  return randomBytes(32).toString('base64url')
}

/** 32 bytes in base64url. */
export const verifierLength = 43

/** S256 (RFC 7636 section 4.2). */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

/**
 * Ties the ID token to this sign-in (OpenID Connect Core section 3.1.2.1). It is derived from the verifier, which nobody
 * else knows, so that it need not be kept.
 */
export function nonceOf(verifier: string): string {
  return createHash('sha256').update(`nonce:${verifier}`).digest('base64url')
}

/** How a state is stored: who reads our tables cannot finish another's sign-in. */
export function hashOfState(state: string): string {
  return createHash('sha256').update(state).digest('base64url')
}
