import { holdsDistinctly } from './matching.ts'
import { holdsByCount } from './quorum.ts'
import type { RequestState, StandingApproval } from './request.ts'
import { leavesOf, seatKey, type Policy, type PolicyOptions, type SeatSource } from './rule.ts'
import { leavesOfStage } from './stage.ts'
import { exclusionOf, leavesBySeat, leavesFilled, voterOf } from './voter.ts'

/**
 * Whether the open stage's rule holds after `cast`, `stored` being every approval that stood before it. Unknown when
 * only they could tell and they were not given.
 *
 * @example
 * quorum(policy, state, cast, undefined) // 'missing', without looking at anyone, while the tally is too small
 */
export function quorum(
  policy: Policy,
  state: RequestState,
  cast: StandingApproval,
  stored: readonly StandingApproval[] | undefined,
): 'reached' | 'missing' | 'unknown' {
  if (!mayHold(policy, state)) return 'missing'
  if (!needsRecount(policy.options)) return 'reached'
  if (!stored) return 'unknown'
  const others = stored.filter(({ principal }) => principal !== cast.principal)
  return holdsExactly(policy, state, [...others, cast]) ? 'reached' : 'missing'
}

/**
 * Whether the tally allows that the open stage's rule holds. A "no" is certain; a "yes" may need a recount.
 *
 * @example
 * if (!mayHold(policy, state)) return stillOpen
 */
export function mayHold(policy: Policy, state: RequestState): boolean {
  const stage = policy.stages[state.stage]
  return stage !== undefined && holdsByCount(stage.rule, state.tally.approvals)
}

/**
 * Whether the tally alone cannot decide: when those behind it may have lost the right, may not fill two leaves, or may
 * have come to answer for a principal, or ceased to, since it voted.
 *
 * @example
 * needsRecount({ ...options, recheckEligibility: true }) // true
 */
export function needsRecount(options: PolicyOptions): boolean {
  return options.recheckEligibility || options.distinctPeople || options.naturalPersons
}

/**
 * Whether the open stage's rule holds, recounted from every standing approval.
 *
 * @example
 * holdsExactly(policy, state, [ben, cleo])
 */
export function holdsExactly(policy: Policy, state: RequestState, approvals: readonly StandingApproval[]): boolean {
  const stage = policy.stages[state.stage]
  if (!stage) return false
  const voters = [...leavesByVoter(policy, state, approvals).values()]
  return policy.options.distinctPeople
    ? holdsDistinctly(stage.rule, voters)
    : holdsByCount(stage.rule, votersPerLeaf(leavesOf(stage.rule).length, voters))
}

/**
 * Who counts in the open stage: each voter once, with the leaves that any of their principals' approvals fills.
 *
 * @example
 * leavesByVoter(policy, state, [ben]) // Map { 'principal:ben' → Set { 0 } }
 */
export function leavesByVoter(
  policy: Policy,
  state: RequestState,
  approvals: readonly StandingApproval[],
): ReadonlyMap<string, ReadonlySet<number>> {
  const leaves = leavesBySeat(leavesOfStage(policy, state.stage))
  const voters = new Map<string, Set<number>>()
  for (const approval of approvals) {
    if (!counts(policy, state, approval)) continue
    const voter = voterOf(policy.options, approval)
    const filled = voters.get(voter) ?? new Set()
    voters.set(voter, filled)
    const seats = seatsCounted(policy.options, approval)
    for (const leaf of leavesFilled(leaves, { ...approval, seats })) filled.add(leaf)
  }
  return voters
}

function counts({ options }: Policy, state: RequestState, approval: StandingApproval): boolean {
  if (approval.stance !== 'approve' || approval.digest !== state.digest) return false
  return exclusionOf(options, state, approval) === undefined
}

/**
 * The seats that an approval counts for now. Eligibility fixed at the vote is in the seats that it names: a stored vote
 * names only seats that its principal held.
 *
 * @example
 * seatsCounted({ recheckEligibility: true }, { seats: [security, finance], holds: [finance] }) // [finance]
 */
export function seatsCounted(
  { recheckEligibility }: Pick<PolicyOptions, 'recheckEligibility'>,
  { seats, holds }: Pick<StandingApproval, 'seats' | 'holds'>,
): readonly SeatSource[] {
  if (!recheckEligibility) return seats
  const held = new Set(holds.map(seatKey))
  return seats.filter((seat) => held.has(seatKey(seat)))
}

/**
 * How many voters stand behind each leaf.
 *
 * @example
 * votersPerLeaf(2, [new Set([0]), new Set([0, 1])]) // [2, 1]
 */
export function votersPerLeaf(leaves: number, voters: readonly ReadonlySet<number>[]): number[] {
  const perLeaf = Array.from({ length: leaves }, () => 0)
  for (const voter of voters) for (const leaf of voter) perLeaf[leaf] = (perLeaf[leaf] ?? 0) + 1
  return perLeaf
}
