import { AppError } from '../../errors.ts'
import type { ApiKeyFilter, OwnedApiKeyRow } from '../../store/api-keys.ts'
import type { PrincipalKind } from '../../store/schema.ts'
import type { Actor, Caller } from '../actor.ts'
import type { ApiKeyScope } from './scopes.ts'

/** Whose key it is or shall be. */
export interface KeyOwner {
  readonly principalId: string
  readonly kind: PrincipalKind
  readonly personId: string | null
}

export function ownerOf({ principal_id, kind, person_id }: OwnedApiKeyRow): KeyOwner {
  return { principalId: principal_id, kind, personId: person_id }
}

/** A person for themselves and for the agents they answer for. */
export function answersFor(actor: Actor, owner: KeyOwner): boolean {
  return actor.kind === 'human' && actor.personId !== null && actor.personId === owner.personId
}

/** Whose keys the caller may see: admins everyone's, people theirs and their agents', an agent its own. */
export function visibleKeys(actor: Actor): ApiKeyFilter['ownedBy'] {
  if (actor.isAdmin) return null
  if (actor.kind === 'human' && actor.personId !== null) return { personId: actor.personId }
  return { principalId: actor.principalId }
}

export function maySee(actor: Actor, owner: KeyOwner): boolean {
  return actor.isAdmin || answersFor(actor, owner) || actor.principalId === owner.principalId
}

/** Revoking takes power away, so an admin may do it to any key. @throws AppError REQUESTOR_NOT_AUTHORIZED */
export function requireMayRevoke(actor: Actor, owner: KeyOwner): void {
  if (!actor.isAdmin && !answersFor(actor, owner)) throw notTheirs()
}

/**
 * A secret lets its holder act as the owner. An admin may hold one of an agent but not of another person: it would vote in
 * their name, and an admin may everything but vote (contract §3.3).
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export function requireMayHoldSecret(actor: Actor, owner: KeyOwner): void {
  if (answersFor(actor, owner)) return
  if (!actor.isAdmin) throw notTheirs()
  if (owner.kind === 'human') {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'A key that acts as a person is theirs alone to make.')
  }
}

/** What a key may be used for; a sign-in may everything. @throws AppError API_KEY_SCOPE_MISSING */
export function requireScope({ machine }: Pick<Caller, 'machine'>, scope: ApiKeyScope): void {
  if (machine?.kind === 'api-key' && !machine.scopes.includes(scope)) {
    throw new AppError('API_KEY_SCOPE_MISSING', `The API key does not hold the scope "${scope}" that this call needs.`)
  }
}

/**
 * A key may not make, renew or end keys: one that leaked could otherwise outlive its revocation, or lock its owner out.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export function refuseApiKey({ machine }: Pick<Caller, 'machine'>): void {
  if (machine?.kind === 'api-key') {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'An API key may not do this: sign in.')
  }
}

export function notTheirs(): AppError {
  return new AppError(
    'REQUESTOR_NOT_AUTHORIZED',
    'Only who answers for the key, or an organization admin, may do this.',
  )
}
