import { randomUUID } from 'node:crypto'
import { commitmentTo, renderLeaf } from '../audit/leaf.ts'
import { leafActorOf, type Caller } from '../identity/actor.ts'
import { isTerminal } from '../kernel/expiry.ts'
import type { RequestState, Vote, VoteRecord } from '../kernel/request.ts'
import type { Policy } from '../kernel/rule.ts'
import type { Db } from '../store/open.ts'
import { writeVote, type RequestChange } from '../store/voting.ts'
import type { FoundFacts } from './voting-facts.ts'

/** A vote that the kernel accepted, with the request that it was judged on and what it makes of it. */
export interface JudgedVote {
  readonly row: FoundFacts
  readonly vote: Vote
  readonly record: VoteRecord
  readonly next: RequestState
  readonly reason: string | null
  readonly at: Date
}

/**
 * Writes the vote, the request's new state and the audit leaf, all or nothing.
 * @returns false when something that the vote was judged on has changed, or the quota of votes is used up
 */
export async function recordVote(db: Db, caller: Caller, policy: Policy, judged: JudgedVote): Promise<boolean> {
  const { row, vote, record, next, reason, at } = judged
  const seats = record.seats.map((seat) => seat.id)
  const reasonSalt = reason === null ? null : randomUUID()
  const leaf = renderLeaf({
    orgId: caller.orgId,
    kind: 'vote.cast',
    subjectId: row.id,
    actor: leafActorOf(caller),
    at,
    facts: {
      seq: record.seq,
      stage: record.stage,
      stance: vote.stance,
      seats,
      assurance: vote.assurance,
      digest: vote.digest,
      policy: row.policy_id,
      from: row.status,
      to: next.status,
    },
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
    at,
    from: row.status,
    voterVersion: row.voter_version,
    tally: next.tally,
    change: changeOf(row, next, policy, at),
    ownSeq: row.own_seq,
    leaf: { content: leaf.content, private: null },
  })
}

function changeOf(row: FoundFacts, next: RequestState, policy: Policy, at: Date): RequestChange | null {
  const { status, stage } = next
  if (status === row.status && stage === row.stage) return null
  const isFinal = isTerminal(policy, next)
  return { status, isFinal, stage, updatedAt: status === row.status ? null : at, becameFinal: isFinal && !row.is_final }
}

/** What a read would find after a vote that decided nothing. */
export function rowAfter({ row, vote, record, next }: JudgedVote): FoundFacts {
  return {
    ...row,
    vote_seq: next.seq,
    tally: next.tally,
    own_seq: record.seq,
    own_stance: vote.stance,
    own_seats: record.seats.map((seat) => seat.id),
    own_assurance: [...vote.assurance],
    own_digest: vote.digest,
  }
}
