import { currentStatus } from '../approvals/read-request.ts'
import type { Caller } from '../identity/actor.ts'
import type { Status } from '../kernel/request.ts'
import type { RequestRow } from '../store/requests.ts'
import type { Credential } from '../store/watched.ts'

/** A request as those who watch it are told of it. */
export interface WatchedState {
  readonly id: string
  readonly status: Status
  /** Nothing will change it any more. */
  readonly isSettled: boolean
  readonly updatedAt: Date
  readonly expiresAt: Date
}

/** Someone who waits for a request to change. */
export interface Watcher {
  readonly pass: Pass
  /** The status that they know. */
  seen: Status
  /** Another status than the one they knew; the last thing they hear if it is settled. */
  tell(state: WatchedState): void
  /** Every fifteen seconds. */
  beat(): void
  /** Nothing more will come: the request is gone, their pass is no longer good, or the server stops. */
  end(): void
}

/** What a watcher was let in with, and how long it is good at the most. */
export interface Pass extends Credential {
  readonly expiresAt: Date
}

/** A key has no end that its calls know of; whoever watches with one is asked for it again once an hour. */
const longestPassMilliseconds = 3_600_000

export function passOf({ orgId, principalId, sessionId, machine, expiresAt }: Caller, now: Date): Pass {
  return {
    orgId,
    principalId,
    sessionId,
    apiKeyId: machine?.kind === 'api-key' ? machine.id : null,
    expiresAt: expiresAt ?? new Date(now.getTime() + longestPassMilliseconds),
  }
}

/**
 * A vote that decided just before the deadline may commit just after it. What a watcher hears is the last thing they hear,
 * so they are told of an expiry that nobody has written down only once such a vote would have shown.
 */
export const settlingMilliseconds = 300

type WatchedRow = Pick<RequestRow, 'status' | 'is_final' | 'updated_at' | 'expires_at'>

export function watchedState(id: string, row: WatchedRow, now: Date): WatchedState {
  const status = currentStatus(row, new Date(now.getTime() - settlingMilliseconds))
  const isSettled = row.is_final || status === 'expired'
  return { id, status, isSettled, updatedAt: row.updated_at, expiresAt: row.expires_at }
}
