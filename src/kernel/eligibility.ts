import { isTerminal, statusAt } from './expiry.ts'
import { neededBy } from './quorum.ts'
import type { Facts, Refusal, RequestState, StandingVote, Vote, VoterFacts } from './request.ts'
import { leavesOf, seatKey, type Assurance, type Policy, type SeatSource } from './rule.ts'
import { leavesOfStage } from './stage.ts'
import { exclusionOf, voterOf } from './voter.ts'

export type MayVote =
  | {
      readonly may: true
      /** What a vote for every seat held would have to prove, of what this principal can prove at all. */
      readonly requires: readonly Assurance[]
    }
  | { readonly may: false; readonly refusal: Refusal }

/**
 * Whether this principal may vote now, the first reason against it winning. Having voted before is no reason, and
 * neither is a seat whose proof the principal can never give: a veto is still theirs to cast.
 *
 * @example
 * mayVote(policy, state, facts, now) // { may: true, requires: ['stepUp'] }
 */
export function mayVote(policy: Policy, state: RequestState, facts: Facts, now: number): MayVote {
  const refusal = refuseByTime(policy, state, now) ?? refuseVoter(policy, state, facts)
  if (refusal) return { may: false, refusal }
  const { provable } = facts.voter
  const demanded = demandedBy(policy, state, seatsHeld(policy, state, facts.voter))
  return { may: true, requires: demanded.filter((proof) => provable.includes(proof)) }
}

/**
 * Why nothing may be done to the request any more: it is decided, or its time is up, even if no clock has said so.
 *
 * @example
 * refuseByTime(policy, approved, now) // { reason: 'terminal', status: 'approved' }
 */
export function refuseByTime(policy: Policy, state: RequestState, now: number): Refusal | undefined {
  if (isTerminal(policy, state)) return { reason: 'terminal', status: state.status }
  if (statusAt(policy, state, now) === 'expired') return { reason: 'expired' }
  return undefined
}

/**
 * Why a vote for `seats` is refused on a request that is still undecided, the first reason winning (ADR 1, point 9).
 *
 * @example
 * refuseVote(policy, state, vote, [finance], facts) // { reason: 'seat-not-held', seat: finance }
 */
export function refuseVote(
  policy: Policy,
  state: RequestState,
  vote: Vote,
  seats: readonly SeatSource[],
  facts: Facts,
): Refusal | undefined {
  return (
    refuseVoter(policy, state, facts) ??
    (vote.digest === state.digest ? undefined : { reason: 'stale-digest' }) ??
    refuseWithdrawal(policy, vote) ??
    refuseRepetition(policy, state, vote, facts.voter) ??
    refuseSeats(seats, facts.voter) ??
    (policy.options.singleVote && seats.length === 0 ? { reason: 'no-free-seat' } : undefined) ??
    refuseAssurance(policy, state, vote, seats, facts.voter)
  )
}

/**
 * The seats a vote names, each once: those it says or, when it says none, every seat of the open stage that the voter
 * holds. With `singleVote` the one that it takes: the first of them that is free.
 *
 * @example
 * seatsNamed(policy, state, { stance: 'approve', assurance: [], digest }, ben) // [security]
 */
export function seatsNamed(policy: Policy, state: RequestState, vote: Vote, voter: VoterFacts): readonly SeatSource[] {
  const seats = vote.seats ? distinct(vote.seats) : seatsHeld(policy, state, voter)
  if (policy.options.singleVote !== true) return seats
  const isHeld = holder(voter)
  // Which one is not held is told as it is anywhere else.
  if (!seats.every(isHeld)) return seats
  const named = new Set(seats.map(seatKey))
  return freeSeats(policy, state, voter)
    .filter((seat) => named.has(seatKey(seat)))
    .slice(0, 1)
}

function refuseVoter(policy: Policy, state: RequestState, facts: Facts): Refusal | undefined {
  const { policyOpen, voter } = facts
  if (!policyOpen) return { reason: 'policy-closed' }
  if (!voter.enabled) return { reason: 'voter-disabled' }
  // Whom the request is about is told so first where votes are single (contract privx §4.3), last elsewhere.
  const { singleVote } = policy.options
  if (singleVote)
    return (
      refuseExcluded(policy, state, voter) ?? refuseSeatless(policy, state, voter) ?? refuseSecond(policy, state, voter)
    )
  return refuseSeatless(policy, state, voter) ?? refuseExcluded(policy, state, voter)
}

function refuseSeatless(policy: Policy, state: RequestState, voter: VoterFacts): Refusal | undefined {
  if (!voter.inAnyGroup && !isNamed(policy, voter)) return { reason: 'not-eligible', because: 'no-group' }
  if (!voter.hasRight) return { reason: 'not-eligible', because: 'no-right' }
  if (seatsHeld(policy, state, voter).length === 0) return { reason: 'not-eligible', because: 'no-seat' }
  return undefined
}

function refuseExcluded(policy: Policy, state: RequestState, voter: VoterFacts): Refusal | undefined {
  switch (exclusionOf(policy.options, state, voter)) {
    case 'requester':
      return { reason: 'requester-excluded' }
    case 'beneficiary':
      return { reason: 'beneficiary-excluded' }
    case undefined:
      return undefined
  }
}

function refuseSecond(policy: Policy, state: RequestState, voter: VoterFacts): Refusal | undefined {
  if (freeSeats(policy, state, voter).length === 0) return { reason: 'no-free-seat' }
  return hasVoted(policy, state, voter) ? { reason: 'already-voted' } : undefined
}

/** Whether a vote of this voter stands in the open stage, of whichever principal. */
function hasVoted({ options }: Policy, { digest }: RequestState, voter: VoterFacts): boolean {
  const isOwn = (vote: StandingVote) =>
    vote.principal === voter.principal || voterOf(options, vote) === voterOf(options, voter)
  return voter.standing.some((vote) => vote.digest === digest && isOwn(vote))
}

function refuseWithdrawal({ options }: Policy, { stance }: Vote): Refusal | undefined {
  const isFinal = options.singleVote === true || options.approvesOnce === true
  return isFinal && stance === 'withdraw' ? { reason: 'vote-is-final' } : undefined
}

/** With `approvesOnce`. What stands of a voter is an approval then: a veto has ended the request. */
function refuseRepetition(policy: Policy, state: RequestState, vote: Vote, voter: VoterFacts): Refusal | undefined {
  if (policy.options.approvesOnce !== true || vote.stance !== 'approve') return undefined
  return hasVoted(policy, state, voter) ? { reason: 'already-voted' } : undefined
}

/** The seats of the open stage that a voter holds and that still lack voters, in pre-order. */
function freeSeats(policy: Policy, state: RequestState, voter: VoterFacts): readonly SeatSource[] {
  const isHeld = holder(voter)
  return leavesOfStage(policy, state.stage)
    .filter((leaf, index) => isHeld(leaf.from) && (state.tally.approvals[index] ?? 0) < neededBy(leaf))
    .map(({ from }) => from)
}

function refuseSeats(seats: readonly SeatSource[], voter: VoterFacts): Refusal | undefined {
  const isHeld = holder(voter)
  const seat = seats.find((named) => !isHeld(named))
  return seat && { reason: 'seat-not-held', seat }
}

/** A vote must prove what it uses; a "no" uses nothing, unless the policy protects it like a "yes" (ADR 1, point 7). */
function refuseAssurance(
  policy: Policy,
  state: RequestState,
  vote: Vote,
  seats: readonly SeatSource[],
  voter: VoterFacts,
): Refusal | undefined {
  if (vote.stance === 'approve') {
    const missing = demandedBy(policy, state, seats).filter((proof) => !vote.assurance.includes(proof))
    const impossible = missing.filter((proof) => !voter.provable.includes(proof))
    if (impossible.length > 0) return { reason: 'assurance-impossible', missing: impossible }
    return missing.length > 0 ? { reason: 'assurance-missing', missing } : undefined
  }
  if (!policy.options.vetoNeedsAssurance) return undefined
  const demanded = demandedBy(policy, state, seatsHeld(policy, state, voter))
  const missing = demanded.filter((proof) => voter.provable.includes(proof) && !vote.assurance.includes(proof))
  return missing.length > 0 ? { reason: 'assurance-missing', missing } : undefined
}

/** Every proof that some leaf of the open stage asks of a voter for one of these seats. */
function demandedBy(policy: Policy, state: RequestState, seats: readonly SeatSource[]): readonly Assurance[] {
  const named = new Set(seats.map(seatKey))
  const leaves = leavesOfStage(policy, state.stage).filter(({ from }) => named.has(seatKey(from)))
  return [...new Set(leaves.flatMap(({ assurance }) => assurance ?? []))]
}

/**
 * The seats of the open stage that a voter holds, each once.
 *
 * @example
 * seatsHeld(policy, state, { principal: 'ben', groups: ['security', 'choir'] }) // [security]
 */
export function seatsHeld(
  policy: Policy,
  state: Pick<RequestState, 'stage'>,
  voter: Pick<VoterFacts, 'principal' | 'groups'>,
): readonly SeatSource[] {
  const seats = leavesOfStage(policy, state.stage).map(({ from }) => from)
  return distinct(seats.filter(holder(voter)))
}

/** Tells which seats this voter holds. */
function holder(voter: Pick<VoterFacts, 'principal' | 'groups'>): (seat: SeatSource) => boolean {
  const groups = new Set(voter.groups)
  return ({ kind, id }) => {
    switch (kind) {
      case 'group':
        return groups.has(id)
      case 'principal':
        return voter.principal === id
    }
  }
}

/** Being named in a stage that is not open makes no seat, but it is why someone in no group may be here at all. */
function isNamed(policy: Policy, { principal }: VoterFacts): boolean {
  const leaves = policy.stages.flatMap(({ rule }) => leavesOf(rule))
  return leaves.some(({ from }) => from.kind === 'principal' && from.id === principal)
}

function distinct(seats: readonly SeatSource[]): readonly SeatSource[] {
  return [...new Map(seats.map((seat) => [seatKey(seat), seat])).values()]
}
