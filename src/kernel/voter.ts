import type { RequestState, StandingVote } from './request.ts'
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
 * Why a principal may not vote, being whom this is about: it asked for it, or is whom it is asked for. With
 * `naturalPersons` neither may anyone who stands in for the person of either.
 *
 * @example
 * exclusionOf({ requesterMayVote: false, naturalPersons: false }, { requester }, requester) // 'requester'
 */
export function exclusionOf(
  options: Pick<PolicyOptions, 'requesterMayVote' | 'naturalPersons'>,
  { requester, beneficiary }: Pick<RequestState, 'requester' | 'beneficiary'>,
  voter: Identity,
): 'requester' | 'beneficiary' | undefined {
  if (options.requesterMayVote) return undefined
  const isOf = (one: Identity) => one.principal === voter.principal || voterOf(options, one) === voterOf(options, voter)
  if (isOf(requester)) return 'requester'
  return beneficiary !== undefined && isOf(beneficiary) ? 'beneficiary' : undefined
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
