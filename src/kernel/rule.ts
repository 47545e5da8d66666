/**
 * The rule algebra: two nodes, in ordered stages. Everything the four products know about "who must say yes" is built
 * from these (design §3.1).
 */

/** What a voter proved about themselves, freshly, for this very vote. */
export type Assurance = 'stepUp' | 'password' | 'securityKey' | 'signature'

/** The seat a vote counts for: a group one is a member of, or one named principal. */
export interface SeatSource {
  readonly kind: 'group' | 'principal'
  readonly id: string
}

/** Holds when at least `atLeast` distinct voters approved for the seat, each having proved `assurance`. */
export interface Seats {
  readonly kind: 'seats'
  readonly atLeast: number
  readonly from: SeatSource
  readonly assurance?: readonly Assurance[]
}

/** Holds when at least `atLeast` of the rules in `of` hold: AND is all, OR is one. */
export interface Threshold {
  readonly kind: 'threshold'
  readonly atLeast: number
  readonly of: readonly Rule[]
}

export type Rule = Threshold | Seats

/** An ordered part of a policy. A binding stage decides; an advisory one is collected, or closed by command. */
export interface Stage {
  readonly name?: string
  readonly binding: boolean
  readonly rule: Rule
}

export interface PolicyOptions {
  /** What one "no" does: stands until withdrawn, ends the request, or is only recorded (design §3.5, point 6). */
  readonly veto: 'withdrawable' | 'final' | 'ignored'
  readonly requesterMayVote: boolean
  /** One voter fills at most one seat across all branches: an exact matching, at most 16 leaves. */
  readonly distinctPeople: boolean
  /** An agent counts as the natural person who answers for it. */
  readonly naturalPersons: boolean
  /** Eligibility is checked again at the moment of decision; otherwise it is fixed at the vote. */
  readonly recheckEligibility: boolean
  /** A veto or a withdrawal must prove what an approval for the same seats would (native contract §3.4). */
  readonly vetoNeedsAssurance: boolean
  /**
   * A voter votes once in a stage and takes nothing back. An approval takes one seat: the first of the open stage, in
   * pre-order, that the voter holds and that still lacks voters. A veto needs such a seat too. Absent: not so.
   */
  readonly singleVote?: true
  /**
   * An approval stands: a voter approves once in a stage and takes nothing back, though they may veto afterwards. It still
   * counts for every seat that it names. Absent: not so.
   */
  readonly approvesOnce?: true
}

/** What a request is decided by: a snapshot, immutable for the life of the request. */
export interface Policy {
  readonly stages: readonly Stage[]
  readonly options: PolicyOptions
}

/**
 * The leaves of a rule in pre-order. A leaf's place in this list is its place in a tally.
 *
 * @example
 * leavesOf({ kind: 'threshold', atLeast: 2, of: [security, finance] }) // [security, finance]
 */
export function leavesOf(rule: Rule): readonly Seats[] {
  switch (rule.kind) {
    case 'seats':
      return [rule]
    case 'threshold':
      return rule.of.flatMap(leavesOf)
  }
}

/**
 * A seat as a map key. The kind comes first and holds no colon, so two seats never share a key.
 *
 * @example
 * seatKey({ kind: 'group', id: 'security' }) // 'group:security'
 */
export function seatKey(seat: SeatSource): string {
  return `${seat.kind}:${seat.id}`
}
