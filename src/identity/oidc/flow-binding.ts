import { createHash } from 'node:crypto'

/**
 * Binds a flow to the browser that started it, by the hash of a secret that only its cookie holds. Whoever is lured to a
 * callback with another's state and code is not signed in as that other (RFC 6749 section 10.12).
 */
export function browserBinding(secret: string): string {
  return hashOf(`browser:${secret}`)
}

/** Binds a step-up to the principal who asked for it. */
export function callerBinding(orgId: string, principalId: string): string {
  return hashOf(`caller:${orgId}:${principalId}`)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
