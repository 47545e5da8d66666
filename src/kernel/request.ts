import { refuseByTime, refuseVote, seatsNamed } from './eligibility.ts'
import type { Assurance, Policy, SeatSource } from './rule.ts'
import { quorum } from './recount.ts'
import { emptyTally, pass } from './stage.ts'
import { castBy, tallyAfter, vetoStands } from './vote.ts'

export type Status = 'open' | 'approved' | 'rejected' | 'canceled' | 'expired'

/**
 * The part of a request that the kernel reads and writes. It is stored with the request and changed by each vote's own
 * difference, so a vote costs the same however many came before it.
 */
export interface RequestState {
  readonly status: Status
  /** Index of the open stage; equal to the number of stages when every one has been passed. */
  readonly stage: number
  /** Sequence number of the last vote, 0 before the first. Order of commit, never of a clock. */
  readonly seq: number
  /** SHA-256 of the canonical content that votes are cast on. */
  readonly digest: string
  /** Epoch milliseconds from which the request is expired, if it is not terminal by then. */
  readonly expiresAt: number
  readonly requester: { readonly principal: string; readonly person: string | null }
  /** Whom this is asked for, where that is somebody else: excluded from voting as the requester is. */
  readonly beneficiary?: { readonly principal: string; readonly person: string | null }
  readonly tally: Tally
}

/**
 * Upper bounds of what stands in the open stage: current approvals per seat leaf (leaves in pre-order), each voter once,
 * and the vetoes that stand. An approval whose voter has since lost the right is still in here; the decision checks.
 */
export interface Tally {
  readonly approvals: readonly number[]
  readonly vetoes: number
}

export type Stance = 'approve' | 'veto' | 'withdraw'

/** A principal's last vote in a stage, as stored. */
export interface StandingVote {
  readonly principal: string
  readonly person: string | null
  readonly stance: Stance
  /** The seats the vote names. A stored vote names only seats that its principal held when voting. */
  readonly seats: readonly SeatSource[]
  readonly assurance: readonly Assurance[]
  readonly digest: string
}

/** A standing approval as it counts at this moment: the seats that its principal still holds. */
export interface StandingApproval extends StandingVote {
  readonly holds: readonly SeatSource[]
}

/** Who votes, as the store knows them inside the deciding transaction. */
export interface VoterFacts {
  readonly principal: string
  /** The natural person: for an agent the one who answers for it. */
  readonly person: string | null
  readonly enabled: boolean
  /** Holds the right to vote under this policy. */
  readonly hasRight: boolean
  readonly inAnyGroup: boolean
  /** Of the groups that matter here (named in the open stage or in the vote), those the principal is a member of. */
  readonly groups: readonly string[]
  /** The kinds of proof this principal can give at all; an agent can give none of a person's. */
  readonly provable: readonly Assurance[]
  /**
   * Last votes in the open stage of every principal of this voter: the principal's own and, with `naturalPersons`,
   * those stored with the same person. Whose vote it is was settled when it was cast.
   */
  readonly standing: readonly StandingVote[]
}

export interface Facts {
  /** False when the policy no longer takes votes. */
  readonly policyOpen: boolean
  readonly voter: VoterFacts
  /**
   * Every standing approval of the open stage as stored before this vote. Needed only when a decision may fall:
   * leave it out, and `decide` says `needs-approvals` if it wants it. The voter's own are replaced by the kernel.
   */
  readonly approvals?: readonly StandingApproval[]
}

export interface Vote {
  readonly stance: Stance
  /** Absent: every seat of the open stage that the voter holds. */
  readonly seats?: readonly SeatSource[]
  readonly assurance: readonly Assurance[]
  readonly digest: string
}

export type Event =
  | { readonly kind: 'vote'; readonly vote: Vote; readonly facts: Facts }
  | { readonly kind: 'clock' }
  | { readonly kind: 'cancel' }
  /** Close the open stage, which must be advisory. */
  | { readonly kind: 'close-stage' }
  /** What is being decided changed: votes on the old digest count for nothing. The new digest was never used before. */
  | { readonly kind: 'amend'; readonly digest: string }

export type Refusal =
  | { readonly reason: 'terminal'; readonly status: Status }
  | { readonly reason: 'expired' }
  | { readonly reason: 'policy-closed' }
  | { readonly reason: 'voter-disabled' }
  | { readonly reason: 'not-eligible'; readonly because: 'no-group' | 'no-right' | 'no-seat' }
  | { readonly reason: 'requester-excluded' }
  | { readonly reason: 'beneficiary-excluded' }
  /** With `singleVote`: every seat that the voter holds has all its voters. */
  | { readonly reason: 'no-free-seat' }
  /** With `singleVote`: the voter has voted in the open stage. With `approvesOnce`: has approved there, and approves again. */
  | { readonly reason: 'already-voted' }
  /** With `singleVote` or `approvesOnce`: no vote is taken back. */
  | { readonly reason: 'vote-is-final' }
  | { readonly reason: 'stale-digest' }
  /** The vote names a seat that the voter does not hold. */
  | { readonly reason: 'seat-not-held'; readonly seat: SeatSource }
  | { readonly reason: 'assurance-missing'; readonly missing: readonly Assurance[] }
  /** A seat needs a proof that this principal can never give. */
  | { readonly reason: 'assurance-impossible'; readonly missing: readonly Assurance[] }
  | { readonly reason: 'stage-not-advisory' }
  /** A stage does not pass while a veto stands, not even by command. */
  | { readonly reason: 'veto-stands' }

export type Effect =
  | { readonly kind: 'status-changed'; readonly from: Status; readonly to: Status }
  | { readonly kind: 'stage-passed'; readonly stage: number; readonly by: 'quorum' | 'command' }

/** What to store of a vote beside the vote itself: its place in the log, and the seats it turned out to name. */
export interface VoteRecord {
  readonly seq: number
  /** The stage it was cast in. */
  readonly stage: number
  readonly seats: readonly SeatSource[]
}

export type Outcome =
  | {
      readonly kind: 'decided'
      readonly next: RequestState
      readonly effects: readonly Effect[]
      /** For a vote: what to store with it. */
      readonly record?: VoteRecord
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** A decision may fall: load every standing approval of the open stage as stored, and ask again. */
  | { readonly kind: 'needs-approvals' }

/**
 * The state of a request that nobody has voted on.
 *
 * @example
 * const state = initialState(policy, { digest, expiresAt, requester: { principal: 'ada', person: 'ada' } })
 */
export function initialState(
  policy: Policy,
  request: Pick<RequestState, 'digest' | 'expiresAt' | 'requester' | 'beneficiary'>,
): RequestState {
  const { digest, expiresAt, requester, beneficiary } = request
  return {
    status: 'open',
    stage: 0,
    seq: 0,
    digest,
    expiresAt,
    requester,
    ...(beneficiary !== undefined && { beneficiary }),
    tally: emptyTally(policy, 0),
  }
}

/**
 * The one decision function: what `event` at `now` (epoch milliseconds) makes of the request. Pure, and total over
 * policies that `acceptPolicy` accepts.
 *
 * @example
 * const outcome = decide(policy, state, { kind: 'vote', vote, facts }, now)
 * if (outcome.kind === 'needs-approvals') // load them into facts.approvals and ask again, in the same transaction
 */
export function decide(policy: Policy, state: RequestState, event: Event, now: number): Outcome {
  const refusal = refuseByTime(policy, state, now)
  // To everything else the deadline is a refusal; the clock is what makes the request expired.
  if (refusal?.reason === 'expired' && event.kind === 'clock') return decided(state, { ...state, status: 'expired' })
  if (refusal) return { kind: 'refused', refusal }
  switch (event.kind) {
    case 'vote':
      return decideVote(policy, state, event.vote, event.facts)
    case 'clock':
      return decided(state, state)
    case 'cancel':
      return decided(state, { ...state, status: 'canceled' })
    case 'close-stage':
      return closeStage(policy, state)
    case 'amend':
      return amend(policy, state, event.digest)
  }
}

function decideVote(policy: Policy, state: RequestState, vote: Vote, facts: Facts): Outcome {
  const seats = seatsNamed(policy, state, vote, facts.voter)
  const refusal = refuseVote(policy, state, vote, seats, facts)
  if (refusal) return { kind: 'refused', refusal }

  const cast = castBy(facts.voter, vote, seats)
  const tally = tallyAfter(policy, state, facts.voter, cast)
  const voted = { ...state, seq: state.seq + 1, tally }
  const record = { seq: voted.seq, stage: state.stage, seats }

  if (vetoStands(policy, tally)) return decided(state, { ...voted, status: 'rejected' }, record)
  const open = { ...voted, status: 'open' } as const
  switch (quorum(policy, open, cast, facts.approvals)) {
    case 'missing':
      return decided(state, open, record)
    case 'unknown':
      return { kind: 'needs-approvals' }
    case 'reached':
      return passed(policy, state, open, 'quorum', record)
  }
}

function closeStage(policy: Policy, state: RequestState): Outcome {
  if (policy.stages[state.stage]?.binding !== false)
    return { kind: 'refused', refusal: { reason: 'stage-not-advisory' } }
  if (vetoStands(policy, state.tally)) return { kind: 'refused', refusal: { reason: 'veto-stands' } }
  return passed(policy, state, state, 'command')
}

/** Back to the first stage with nothing standing. Votes on the old digest stay in the log and count for nothing. */
function amend(policy: Policy, state: RequestState, digest: string): Outcome {
  // The same content is not an amendment; an empty tally would forget votes that still stand on it.
  if (digest === state.digest) return decided(state, state)
  return decided(state, {
    ...state,
    status: 'open',
    stage: 0,
    digest,
    tally: emptyTally(policy, 0),
  })
}

function passed(
  policy: Policy,
  from: RequestState,
  state: RequestState,
  by: 'quorum' | 'command',
  record?: VoteRecord,
): Outcome {
  const next = pass(policy, state)
  return decided(from, next, record, { kind: 'stage-passed', stage: state.stage, by })
}

function decided(from: RequestState, next: RequestState, record?: VoteRecord, passing?: Effect): Outcome {
  const effects: Effect[] = passing ? [passing] : []
  if (next.status !== from.status) effects.push({ kind: 'status-changed', from: from.status, to: next.status })
  return { kind: 'decided', next, effects, ...(record && { record }) }
}
