import type { RequestState, Status } from './request.ts'
import type { Policy } from './rule.ts'

/**
 * The status as of `now`, whether or not anything has written it yet: from the instant `expiresAt` on, a request that
 * is not terminal is expired (design §3.5, point 8). So is one whose deadline is no time at all.
 *
 * @example
 * statusAt(policy, { ...open, expiresAt: 1000 }, 999) // 'open'
 * statusAt(policy, { ...open, expiresAt: 1000 }, 1000) // 'expired'
 */
export function statusAt(policy: Policy, state: RequestState, now: number): Status {
  return isTerminal(policy, state) || now < state.expiresAt ? state.status : 'expired'
}

/**
 * Whether nothing that comes later can change the request. A rejection is the end only where the policy says so.
 *
 * @example
 * isTerminal(finalPolicy, { ...state, status: 'rejected' }) // true
 */
export function isTerminal(policy: Policy, state: RequestState): boolean {
  switch (state.status) {
    case 'approved':
    case 'canceled':
    case 'expired':
      return true
    case 'rejected':
      return policy.options.veto === 'final'
    case 'open':
      return false
  }
}
