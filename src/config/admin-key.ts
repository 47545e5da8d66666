import { createHash } from 'node:crypto'
import { AppError } from '../errors.ts'

/** The operator's key for management calls (design §8). */
export interface AdminKey {
  /** SHA-256 of the key: all that is kept of it. */
  readonly hash: Buffer
  /** It is the demo's, which anyone can read in the documentation. */
  readonly isPublished: boolean
}

/** The demo's admin key. Where it counts, anyone on this machine may sign in as the organization admin anyway. */
export const demoAdminKey = 'demo-admin-key-for-this-machine-only'

/**
 * @param isOpenDemo the demo with the development sign-in, where a published key opens nothing that was shut
 * @throws AppError CONFIGURATION_INVALID
 */
export function adminKeyOf(value: string | undefined, isOpenDemo: boolean): AdminKey | null {
  if (value === undefined) {
    return isOpenDemo ? { hash: hashOf(demoAdminKey), isPublished: true } : null
  }
  if (value === demoAdminKey && !isOpenDemo) refuse('is the published key of the demo; choose one that is secret')
  if (value.length < minLength) refuse(`must be at least ${minLength} characters (openssl rand -hex 32)`)
  // What neither a bearer token (RFC 6750 section 2.1) nor a Basic user name (RFC 7617 section 2) could carry.
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(value)) refuse('must be ASCII without blanks, control characters and colons')
  return { hash: hashOf(value), isPublished: value === demoAdminKey }
}

const minLength = 32

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

function refuse(problem: string): never {
  throw new AppError('CONFIGURATION_INVALID', `QUORATE_ADMIN_KEY ${problem}.`, { field: 'QUORATE_ADMIN_KEY' })
}
