import type { LeafActor } from '../audit/leaf.ts'
import { AppError } from '../errors.ts'
import { findActorRow, splitBindings, type RoleBinding } from '../store/principals.ts'
import type { Db } from '../store/open.ts'
import type { Once } from '../store/unit-of-work.ts'
import type { PrincipalKind } from '../store/schema.ts'
import type { ApiKeyScope } from './api-keys/scopes.ts'

/** Who the access token says is calling. The signature has been checked; whether they still exist has not. */
export interface Caller {
  readonly orgId: string
  readonly principalId: string
  readonly kind: PrincipalKind
  /** The sign-in they call with, which may have ended since; null when the credential belongs to none. */
  readonly sessionId: string | null
  readonly stepUp: StepUp | null
  /** When the access token expires; absent for a key, which is looked up on every call. */
  readonly expiresAt?: Date
  /** Set when a key speaks for the principal, and not a sign-in of their own. */
  readonly machine?: MachineCredential
  /** Set when the call carries an Idempotency-Key. */
  readonly once: Once | null
}

/** A key that a machine was given: an API key of its principal, or the operator's `QUORATE_ADMIN_KEY`, which is nobody's. */
export type MachineCredential =
  | { readonly kind: 'api-key'; readonly id: string; readonly scopes: readonly ApiKeyScope[] }
  | { readonly kind: 'admin-key' }

/** A fresh sign-in bound to one operation, to be spent by the call that needs it (contract §6.4). */
export interface StepUp {
  readonly tokenId: string
  readonly operation: string
  readonly resource: string | null
}

/** Who is one caller where calls are counted or remembered: an API key by itself, apart from its principal. */
export function callerIdOf({ principalId, machine }: Pick<Caller, 'principalId' | 'machine'>): string {
  return machine?.kind === 'api-key' ? machine.id : principalId
}

/** The caller as the store knows them now: never from the token. */
export interface Actor extends Caller {
  readonly personId: string | null
  readonly name: string
  readonly email: string | null
  readonly isAdmin: boolean
  readonly bindings: readonly RoleBinding[]
  readonly rowVersion: string
}

/**
 * Reads who is calling, with their roles, in one query.
 * @throws AppError CALLER_USER_NOT_FOUND or CALLER_AGENT_NOT_FOUND when they are gone or disabled, SESSION_ENDED
 */
export async function loadActor(db: Db, caller: Caller): Promise<Actor> {
  if (caller.machine?.kind === 'admin-key') return adminKeyActor(caller)
  const row = await findActorRow(db, caller.orgId, caller.principalId)
  if (row === undefined || row.disabled_at !== null) throw callerNotFound(caller)
  refuseEndedSession(caller, row.ended_sessions)
  return {
    ...caller,
    personId: row.person_id,
    name: row.name,
    email: row.email,
    isAdmin: row.kind === 'human' && row.is_admin,
    bindings: splitBindings(row.bindings),
    rowVersion: row.row_version,
  }
}

/** An admin by configuration, with no row in the store: no role, so no right to vote, and no person behind it. */
function adminKeyActor(caller: Caller): Actor {
  return {
    ...caller,
    personId: null,
    name: 'admin-key',
    email: null,
    isAdmin: true,
    bindings: [],
    rowVersion: '0',
  }
}

export function callerNotFound(caller: Pick<Caller, 'kind'>): AppError {
  return new AppError(caller.kind === 'human' ? 'CALLER_USER_NOT_FOUND' : 'CALLER_AGENT_NOT_FOUND')
}

/** A token of a sign-in that ended may not have expired yet. @throws AppError SESSION_ENDED */
export function refuseEndedSession({ sessionId }: Caller, ended: readonly string[]): void {
  if (sessionId !== null && ended.includes(sessionId)) throw new AppError('SESSION_ENDED')
}

/** The caller as an audit leaf names them. */
export function leafActorOf({ kind, principalId, machine }: Caller): LeafActor {
  if (machine?.kind === 'admin-key') return { kind: 'admin-key' }
  return { kind, id: principalId, ...(machine !== undefined && { apiKey: machine.id }) }
}
