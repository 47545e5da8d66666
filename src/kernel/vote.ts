import type { RequestState, StandingApproval, StandingVote, Tally, Vote, VoterFacts } from './request.ts'
import type { Policy, PolicyOptions, SeatSource } from './rule.ts'
import { leavesOfStage } from './stage.ts'
import { leavesBySeat, leavesFilled, voterOf, type LeavesBySeat } from './voter.ts'

/**
 * A vote as it will stand once stored, naming `seats`.
 *
 * @example
 * castBy(facts.voter, vote, [security]) // { principal: 'ben', stance: 'approve', seats: [security], … }
 */
export function castBy(voter: VoterFacts, vote: Vote, seats: readonly SeatSource[]): StandingApproval {
  const { principal, person } = voter
  const { stance, assurance, digest } = vote
  return { principal, person, stance, seats, assurance, digest, holds: seats }
}

/**
 * The tally once `cast` replaces what its principal voted before. Only the voter's own difference is worked out, so a
 * vote costs the same however many came before it.
 *
 * @example
 * tallyAfter(policy, state, voter, cast) // { approvals: [1, 0], vetoes: 0 }
 */
export function tallyAfter(policy: Policy, state: RequestState, voter: VoterFacts, cast: StandingVote): Tally {
  const leaves = leavesOfStage(policy, state.stage)
  const standing = voter.standing.filter(({ digest }) => digest === state.digest)
  const own = standing.filter(({ principal }) => principal === cast.principal)
  const rest = standing.filter(({ principal }) => principal !== cast.principal)

  const bySeat = leavesBySeat(leaves)
  const before = leavesOfVoter(policy.options, bySeat, cast, standing)
  const after = leavesOfVoter(policy.options, bySeat, cast, [...rest, cast])
  const count = (leaf: number) => state.tally.approvals[leaf] ?? 0
  return {
    approvals: leaves.map((_, leaf) => count(leaf) + Number(after.has(leaf)) - Number(before.has(leaf))),
    vetoes: state.tally.vetoes + vetoesAmong([cast]) - vetoesAmong(own),
  }
}

/**
 * The leaves that count the voter of `cast`, once each, whichever of the voter's principals fills them. A principal's
 * vote from a time when another person answered for it is not this voter's: it stays in the tally, which is an upper
 * bound, rather than being taken from that person, for whom someone else may still vote.
 */
function leavesOfVoter(
  options: PolicyOptions,
  leaves: LeavesBySeat,
  cast: StandingVote,
  votes: readonly StandingVote[],
): ReadonlySet<number> {
  const voter = voterOf(options, cast)
  const approvals = votes.filter((vote) => vote.stance === 'approve' && voterOf(options, vote) === voter)
  return new Set(approvals.flatMap((vote) => leavesFilled(leaves, vote)))
}

function vetoesAmong(votes: readonly StandingVote[]): number {
  return votes.filter(({ stance }) => stance === 'veto').length
}

/**
 * Whether a standing veto rejects the request: always, unless a "no" is only recorded.
 *
 * @example
 * vetoStands(policy, { approvals: [2], vetoes: 1 }) // true, unless policy.options.veto is 'ignored'
 */
export function vetoStands(policy: Policy, tally: Tally): boolean {
  return policy.options.veto !== 'ignored' && tally.vetoes > 0
}
