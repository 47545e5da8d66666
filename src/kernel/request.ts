import type { Assurance, Policy, SeatSource } from './rule.ts'

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
  /** Last votes in the open stage of every principal of this voter (with `naturalPersons`: the person and their agents). */
  readonly standing: readonly StandingVote[]
}

export interface Facts {
  /** False when the policy no longer takes votes. */
  readonly policyOpen: boolean
  readonly voter: VoterFacts
  /** Every standing approval of the open stage. Needed only when a decision may fall: see `needsStanding`. */
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
  | { readonly reason: 'stale-digest' }
  /** The vote names a seat that the voter does not hold. */
  | { readonly reason: 'seat-not-held'; readonly seat: SeatSource }
  | { readonly reason: 'assurance-missing'; readonly missing: readonly Assurance[] }
  /** A seat needs a proof that this principal can never give. */
  | { readonly reason: 'assurance-impossible'; readonly missing: readonly Assurance[] }
  | { readonly reason: 'stage-not-advisory' }

export type Effect =
  | { readonly kind: 'status-changed'; readonly from: Status; readonly to: Status }
  | { readonly kind: 'stage-passed'; readonly stage: number; readonly by: 'quorum' | 'command' }

export interface VoteRecord {
  readonly seq: number
  /** The stage it was cast in. */
  readonly stage: number
  readonly seats: readonly SeatSource[]
  /** Of the proof that was offered, what the vote needed. */
  readonly assurance: readonly Assurance[]
}

export type Outcome =
  | {
      readonly kind: 'decided'
      readonly next: RequestState
      readonly effects: readonly Effect[]
      /** For a vote: what to store. */
      readonly record?: VoteRecord
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** A decision may fall: load every standing approval of the open stage (with this vote's own left out or in) and ask again. */
  | { readonly kind: 'needs-approvals' }

/** The one decision function: what `event` at `now` (epoch milliseconds) makes of the request. Pure and total. */
export declare function decide(policy: Policy, state: RequestState, event: Event, now: number): Outcome

/** Whether nothing changes a request of this status any more. */
export declare function isTerminal(policy: Policy, status: Status): boolean
