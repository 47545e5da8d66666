import type { StandingVote } from './request.ts'
import { seatKey, type PolicyOptions, type Seats } from './rule.ts'

type Identity = Pick<StandingVote, 'principal' | 'person'>

/**
 * Who a vote is counted as: the principal or, with `naturalPersons`, the person who answers for it.
 *
 * @example
 * voterOf({ naturalPersons: true }, { principal: 'agent-7', person: 'ben' }) // 'person:ben'
 */
export function voterOf(options: Pick<PolicyOptions, 'naturalPersons'>, { principal, person }: Identity): string {
  return options.naturalPersons && person !== null ? `person:${person}` : `principal:${principal}`
}

/**
 * Whether a principal may not vote because it asked for this. With `naturalPersons` neither may anyone who stands in
 * for the person who asked.
 *
 * @example
 * isExcluded({ requesterMayVote: false, naturalPersons: false }, requester, requester) // true
 */
export function isExcluded(
  options: Pick<PolicyOptions, 'requesterMayVote' | 'naturalPersons'>,
  requester: Identity,
  voter: Identity,
): boolean {
  if (options.requesterMayVote) return false
  return requester.principal === voter.principal || voterOf(options, requester) === voterOf(options, voter)
}

/** The leaves of a stage by the seat they count, each with its place in the tally. */
export type LeavesBySeat = ReadonlyMap<string, readonly { readonly leaf: Seats; readonly index: number }[]>

/**
 * Leaves looked up by seat, so that an approval costs what it names and not what the rule has.
 *
 * @example
 * leavesBySeat([security, finance]).get('group:finance') // [{ leaf: finance, index: 1 }]
 */
export function leavesBySeat(leaves: readonly Seats[]): LeavesBySeat {
  const places = leaves.map((leaf, index) => ({ leaf, index }))
  return Map.groupBy(places, ({ leaf }) => seatKey(leaf.from))
}

/**
 * The leaves that one approval counts for: those whose seat it names and whose assurance it proved.
 *
 * @example
 * leavesFilled(leavesBySeat([security, finance]), { seats: [finance.from], assurance: [] }) // [1]
 */
export function leavesFilled(
  leaves: LeavesBySeat,
  { seats, assurance }: Pick<StandingVote, 'seats' | 'assurance'>,
): readonly number[] {
  return seats
    .flatMap((seat) => leaves.get(seatKey(seat)) ?? [])
    .filter(({ leaf }) => (leaf.assurance ?? []).every((proof) => assurance.includes(proof)))
    .map(({ index }) => index)
}
