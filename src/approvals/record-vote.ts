import { createHash, randomUUID } from 'node:crypto'
import { canonicalJson, commitmentTo, renderLeaf } from '../audit/leaf.ts'
import type { Marking } from '../audit/leaf-mark.ts'
import { leafActorOf, type Caller } from '../identity/actor.ts'
import { termsFacts } from '../identity/grants/terms.ts'
import { isTerminal } from '../kernel/expiry.ts'
import { seatsHeld } from '../kernel/eligibility.ts'
import type { GrantTerms } from '../kernel/grant-terms.ts'
import type { RequestState, StandingApproval, Vote, VoteRecord } from '../kernel/request.ts'
import { seatKey, type Policy } from '../kernel/rule.ts'
import type { Db } from '../store/open.ts'
import { writeVote, type RequestChange } from '../store/write-vote.ts'
import type { PolicyRules } from './policy-rules.ts'
import type { FoundFacts } from './voting-facts.ts'

/** A vote that the kernel accepted, with the request that it was judged on and what it makes of it. */
export interface JudgedVote {
  readonly row: FoundFacts
  readonly vote: Vote
  readonly record: VoteRecord
  readonly next: RequestState
  readonly reason: string | null
  /** The voter's own signature, checked; null for a vote without. */
  readonly signature: string | null
  /** What proved who voted, checked; null for a vote without. */
  readonly evidence: object | null
  readonly at: Date
  /** The approvals that stood when it was judged; null when they were not asked for. */
  readonly approvals: readonly StandingApproval[] | null
  /** Of a role, put in the place of those before; null where the vote leaves them. */
  readonly terms: GrantTerms | null
}

/**
 * Writes the vote, the request's new state and the audit leaf, all or nothing.
 * @returns false when something that the vote was judged on has changed, or the quota of votes is used up
 */
export async function recordVote(
  ctx: Marking,
  db: Db,
  caller: Caller,
  policy: PolicyRules,
  judged: JudgedVote,
): Promise<boolean> {
  const { row, vote, record, next, reason, at } = judged
  const seats = record.seats.map((seat) => seat.id)
  const reasonSalt = reason === null ? null : randomUUID()
  const leaf = renderLeaf(ctx, {
    orgId: caller.orgId,
    kind: 'vote.cast',
    subjectId: row.id,
    actor: leafActorOf(caller),
    at,
    facts: factsInLeaf(caller, policy, judged, seats),
    // The text and its salt stand with the vote, from where they can be erased.
    ...(reason !== null && reasonSalt !== null && { committed: { reason: commitmentTo(reasonSalt, reason) } }),
  })
  return await writeVote(db, {
    orgId: caller.orgId,
    requestId: row.id,
    policyId: row.policy_id,
    seq: record.seq,
    stage: record.stage,
    principalId: caller.principalId,
    personId: row.voter_person_id,
    stance: vote.stance,
    seats,
    assurance: vote.assurance,
    digest: vote.digest,
    reason,
    reasonSalt,
    signature: judged.signature,
    evidence: judged.evidence,
    at,
    from: row.status,
    voterVersion: row.voter_version,
    tally: next.tally,
    change: changeOf(row, next, policy, at),
    ownSeq: row.own_seq,
    leaf,
  })
}

/** Enough to judge the vote again from the leaves alone, exactly as it was judged. */
function factsInLeaf(
  { principalId }: Caller,
  policy: Policy,
  { row, vote, record, next, approvals, signature, evidence, terms }: JudgedVote,
  seats: readonly string[],
): Readonly<Record<string, unknown>> {
  const named = new Set(seats)
  const held = seatsHeld(policy, record, { principal: principalId, groups: row.voter_groups }).map(({ id }) => id)
  return {
    seq: record.seq,
    stage: record.stage,
    stance: vote.stance,
    seats,
    // A "no" names no seat, and a "yes" may leave some out.
    ...(held.some((id) => !named.has(id)) && { held }),
    ...(row.voter_person_id !== null && { person: row.voter_person_id }),
    assurance: vote.assurance,
    ...(signature !== null && { signature: sha256(signature) }),
    ...(evidence !== null && { evidence: sha256(canonicalJson(evidence)) }),
    digest: vote.digest,
    policy: row.policy_id,
    // Told by a leaf of its own too: here so that nobody can leave that one out.
    ...(terms !== null && { terms: termsFacts(terms) }),
    ...(approvals !== null && { lapsed: lapsedAmong(approvals, principalId) }),
    from: row.status,
    to: next.status,
    ...(next.stage !== record.stage && { toStage: next.stage }),
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** By principal the seats of their standing approval that they hold no longer. The voter's own is replaced by this vote. */
function lapsedAmong(approvals: readonly StandingApproval[], voterId: string): Readonly<Record<string, string[]>> {
  const lapsed = approvals.flatMap(({ principal, seats, holds }) => {
    const held = new Set(holds.map(seatKey))
    const lost = principal === voterId ? [] : seats.filter((seat) => !held.has(seatKey(seat)))
    return lost.length > 0 ? [[principal, lost.map(({ id }) => id)] as const] : []
  })
  return Object.fromEntries(lapsed)
}

function changeOf(row: FoundFacts, next: RequestState, policy: PolicyRules, at: Date): RequestChange | null {
  const { status, stage } = next
  // Elsewhere whoever decided last has changed the request, whatever came of it (contract privx §3.2).
  const isTouched = policy.dialect !== 'native' || status !== row.status
  if (!isTouched && stage === row.stage) return null
  const isFinal = isTerminal(policy, next)
  return { status, isFinal, stage, updatedAt: isTouched ? at : null, becameFinal: isFinal && !row.is_final }
}

/** What a read would find after a vote that decided nothing. */
export function rowAfter({ row, vote, record, next, at }: JudgedVote): FoundFacts {
  return {
    ...row,
    last_at: at,
    vote_seq: next.seq,
    tally: next.tally,
    own_seq: record.seq,
    own_stance: vote.stance,
    own_seats: record.seats.map((seat) => seat.id),
    own_assurance: [...vote.assurance],
    own_digest: vote.digest,
  }
}
