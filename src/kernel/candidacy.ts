import type { Candidate } from './finishing.ts'
import { leavesByVoter, seatsCounted } from './recount.ts'
import type { RequestState, StandingApproval } from './request.ts'
import { seatKey, type Policy, type SeatSource } from './rule.ts'
import { leavesOfStage } from './stage.ts'
import { exclusionOf, leavesBySeat, voterOf } from './voter.ts'

/** An eligible principal who could still vote in the open stage. */
export interface EligiblePrincipal {
  readonly principal: string
  readonly person: string | null
  /** The seats they could vote for: held, and with every proof that the seat demands within their means. */
  readonly holds: readonly SeatSource[]
}

/**
 * What a vote of each eligible principal for every seat they hold would add to what stands. Left out is who would add
 * nothing, or would give up by voting again what they can no longer hold.
 *
 * @example
 * candidacies(policy, state, [], [{ principal: 'ben', person: null, holds: [security] }])
 * // [{ principal: 'ben', voter: 'principal:ben', gains: [0], alike: '…' }]
 */
export function candidacies(
  policy: Policy,
  state: RequestState,
  approvals: readonly StandingApproval[],
  eligible: readonly EligiblePrincipal[],
): readonly Candidate[] {
  const standing = leavesByVoter(policy, state, approvals)
  const counted = new Map(approvals.map((own) => [own.principal, seatsCounted(policy.options, own).map(seatKey)]))
  const bySeat = leavesBySeat(leavesOfStage(policy, state.stage))
  const admitted = eligible.filter((one) => exclusionOf(policy.options, state, one) === undefined)
  const principals = Map.groupBy(admitted, (one) => voterOf(policy.options, one))

  return admitted.flatMap(({ principal, person, holds }) => {
    const voter = voterOf(policy.options, { principal, person })
    const holdable = new Set(holds.map(seatKey))
    const givesUp = (seat: string) => bySeat.has(seat) && !holdable.has(seat)
    if (counted.get(principal)?.some(givesUp)) return []

    // Who has approved in the stage is done with it where approvals are given once.
    if ((policy.options.singleVote || policy.options.approvesOnce) && standing.has(voter)) return []
    const held = standing.get(voter) ?? new Set()
    const fills = [...holdable].flatMap((seat) => bySeat.get(seat) ?? []).map(({ index }) => index)
    const gains = fills.filter((leaf) => !held.has(leaf))
    if (gains.length === 0) return []
    const isAlone = principals.get(voter)?.length === 1
    const alike = isAlone ? `${listed(held)}+${listed(gains)}` : `principal:${principal}`
    return [{ principal, voter, gains, alike }]
  })
}

function listed(leaves: Iterable<number>): string {
  return [...leaves].map(String).toSorted().join()
}
