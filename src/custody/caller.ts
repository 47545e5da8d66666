import type { LeafActor } from '../audit/leaf.ts'
import { defaultOrganization } from '../identity/organization.ts'
import type { PrincipalKind } from '../store/schema.ts'

/** Who calls, as their credentials say. What they may is read with what they ask for (account-rights.ts). */
export interface CustodyCaller {
  /** Null for an app that sends its key with every call. */
  readonly session: CustodySession | null
  /** Null for an app. */
  readonly personId: string | null
  /** The account that they selected, or that the app belongs to. */
  readonly orgId: string | null
  readonly principalId: string | null
  readonly kind: PrincipalKind
}

export interface CustodySession {
  readonly id: string
  /** A second factor is owed: until then it is good for nothing else. */
  readonly isPending: boolean
  /** Until then security keys may be registered and taken away; null where that is locked. */
  readonly devicesUntil: Date | null
}

/**
 * The log that tells of people, and not of what they do in an account: they are of no account, and those of all accounts have
 * one log of these things.
 */
export const peopleLog = defaultOrganization.id

/** Someone as an audit leaf of their account names them. */
export function leafActorOf({ kind, principalId }: { kind: PrincipalKind; principalId: string }): LeafActor {
  return { kind, id: principalId }
}

/** A person as a leaf of the log of people names them: by no principal, for they may have none. */
export function personActor(personId: string): LeafActor {
  return { kind: 'person', id: personId }
}
