import { branchesOf, type Branch } from './branches.ts'
import { candidacies, type EligiblePrincipal } from './candidacy.ts'
import { coveringSet } from './covering.ts'
import { countGauge } from './count-gauge.ts'
import { distinctGauge } from './distinct-gauge.ts'
import { isTerminal, statusAt } from './expiry.ts'
import { smallestSets, type Candidate, type Gauge } from './finishing.ts'
import { votersLeft } from './gains.ts'
import { LIMITS } from './limits.ts'
import { leavesByVoter, votersPerLeaf } from './recount.ts'
import type { RequestState, StandingApproval, Status } from './request.ts'
import { leavesOf, seatKey, type Policy, type Rule, type Seats } from './rule.ts'
import { isSatisfiable, type SeatSize } from './satisfiable.ts'
import { vetoStands } from './vote.ts'

export interface ExplainFacts {
  /** Every standing approval of the open stage. */
  readonly approvals: readonly StandingApproval[]
  /** Eligible principals who could still vote in the open stage, whether or not they have. */
  readonly candidates: readonly EligiblePrincipal[]
  /** False when there are more of them than were listed. */
  readonly candidatesComplete: boolean
  /** How many may vote for each seat of the policy: the requester not among them where excluded. */
  readonly seatSizes: readonly SeatSize[]
}

export interface Explanation {
  /** As of `now`. */
  readonly status: Status
  readonly expiresAt: number
  /** What is waited for; absent when the request is decided or its time is up. */
  readonly pending?: Pending
}

export interface Pending {
  /** The open stage. */
  readonly stage: number
  readonly tree: Branch
  /** Standing vetoes that reject the request: until they are withdrawn, no approval finishes it. */
  readonly vetoes: number
  /**
   * The smallest sets of principals whose approvals would make the open stage's rule hold, at most 20. One empty set
   * means that it holds already: the next vote, or the withdrawal of the last veto, finishes it.
   */
  readonly finishing: readonly (readonly string[])[]
  readonly exact: boolean
  /** Why the sets may not be the smallest. */
  readonly inexactBecause?: 'candidates-incomplete' | 'too-much-work'
  /** The open stage cannot be passed by those who could vote today. */
  readonly nobodyCan: boolean
  readonly later: readonly {
    readonly stage: number
    readonly binding: boolean
    readonly isSatisfiable: boolean
  }[]
}

/** What is looked at before an explanation says that it may not be exact: it takes 100 ms at most. */
const EXPLAINED = { sets: 20, candidates: 1000, seats: 50_000, work: 100_000 }

/**
 * Why a request is still pending: what stands, what is missing, and who could finish it.
 *
 * @example
 * explain(policy, state, facts, now).pending?.finishing // [['dana'], ['eli']]
 */
export function explain(policy: Policy, state: RequestState, facts: ExplainFacts, now: number): Explanation {
  const status = statusAt(policy, state, now)
  const rule = policy.stages[state.stage]?.rule
  const isOver = isTerminal(policy, { ...state, status })
  const pending = rule && !isOver ? { pending: explainStage(policy, state, rule, facts) } : {}
  return { status, expiresAt: state.expiresAt, ...pending }
}

function explainStage(policy: Policy, state: RequestState, rule: Rule, facts: ExplainFacts): Pending {
  const { stage, tally } = state
  const listed = lookedAt(facts.candidates)
  const isComplete = facts.candidatesComplete && listed.length === facts.candidates.length
  const candidates = candidacies(policy, state, facts.approvals, listed)
  const voters = leavesByVoter(policy, state, facts.approvals)
  const leaves = leavesOf(rule)
  const held = votersPerLeaf(leaves.length, [...voters.values()])
  const left = votersLeft(leaves.length, candidates)

  const eligible = new Map(facts.seatSizes.map((size) => [seatKey(size.seat), size.eligible]))
  const unlisted = ({ from }: Seats) => (isComplete ? 0 : (eligible.get(seatKey(from)) ?? 0))
  const reach = leaves.map((leaf, index) => Math.max((held[index] ?? 0) + left(0, index), unlisted(leaf)))
  const tree = branchesOf(rule, held, reach)

  // A single vote takes one seat, so that nobody fills two of a stage; a rule too wide for that is counted as if they could.
  const isSingle = policy.options.singleVote === true
  const isTooWide = isSingle && leaves.length > LIMITS.distinctLeaves
  const { sets, isPossible, isCertain } =
    policy.options.distinctPeople || (isSingle && !isTooWide)
      ? finish(distinctGauge(rule, voters, candidates), candidates)
      : finish(countGauge(rule, held, candidates, left), candidates, () => coveringSet(rule, held, candidates, left))

  return {
    stage,
    tree,
    vetoes: vetoStands(policy, tally) ? tally.vetoes : 0,
    finishing: sets,
    ...exactness(isComplete, isCertain && !isTooWide),
    nobodyCan: isComplete ? !isPossible : !tree.isSatisfiable,
    later: laterStages(policy, stage, facts.seatSizes),
  }
}

function finish<S>(gauge: Gauge<S>, candidates: readonly Candidate[], anySet?: () => readonly Candidate[]) {
  const isPossible = gauge.needed(gauge.start, 0) < Infinity
  const { sets, complete } = smallestSets(gauge, candidates, EXPLAINED)
  // Some way to finish is worth more than none, even if there may be a smaller one.
  const found = isPossible && sets.length === 0 && anySet ? [anySet()] : sets
  return { sets: found.map((set) => set.map(({ principal }) => principal)), isPossible, isCertain: complete }
}

/** As many of them as can be looked at, from the first: so many candidates, holding so many seats in all. */
function lookedAt(candidates: readonly EligiblePrincipal[]): readonly EligiblePrincipal[] {
  let seats = 0
  const end = candidates.findIndex(({ holds }) => (seats += holds.length) > EXPLAINED.seats)
  return candidates.slice(0, Math.min(EXPLAINED.candidates, end === -1 ? candidates.length : end))
}

function exactness(isComplete: boolean, isCertain: boolean): Pick<Pending, 'exact' | 'inexactBecause'> {
  if (!isComplete) return { exact: false, inexactBecause: 'candidates-incomplete' }
  return isCertain ? { exact: true } : { exact: false, inexactBecause: 'too-much-work' }
}

function laterStages(policy: Policy, open: number, seatSizes: readonly SeatSize[]): Pending['later'] {
  const stages = policy.stages.map(({ binding }, stage) => ({ stage, binding }))
  return stages
    .slice(open + 1)
    .map((later) => ({ ...later, isSatisfiable: isSatisfiable(policy, later.stage, seatSizes) }))
}
