import type { Stance, Status, Tally } from '../kernel/request.ts'
import type { Assurance } from '../kernel/rule.ts'
import type { Db } from './open.ts'
import { statement } from './statement.ts'
import { voteQuotaText } from './voting.ts'

/** What a vote changes of a request beside its tally. */
export interface RequestChange {
  status: Status
  isFinal: boolean
  stage: number
  /** Null when it stays as it was. */
  updatedAt: Date | null
  /** The request was not final before. */
  becameFinal: boolean
}

export interface VoteWrite {
  orgId: string
  requestId: string
  policyId: string
  seq: number
  stage: number
  principalId: string
  personId: string | null
  stance: Stance
  seats: readonly string[]
  assurance: readonly Assurance[]
  digest: string
  reason: string | null
  reasonSalt: string | null
  /** Compact JWS; null for a vote that was not signed. */
  signature: string | null
  /** Null for a vote without. */
  evidence: object | null
  at: Date
  /** The status and the voter's eligibility that the vote was judged on. */
  from: Status
  voterVersion: number
  tally: Tally
  /** Null for a vote that leaves all this as it is: then no indexed column is written, and the update touches no index. */
  change: RequestChange | null
  /** Of the voter's last vote in the stage; null when there is none. */
  ownSeq: number | null
  leaf: { content: string; mark: Uint8Array }
}

const changeText = `, status = $23, is_final = $24, stage = $25, updated_at = coalesce($26, r.updated_at)`
const countsText = `, counts as (
    insert into request_counts (org_id, policy_id, is_final, difference)
    select $1, $19, difference > 0, difference from request, unnest('{-1,1}'::bigint[]) difference
  )`

// Holds only if what the vote was judged on is still so: under the locks it always is, and of what was read or remembered
// without them this proves it. The rows of voter and request stay locked until the commit, the voter's first and only
// against change. Everything else hangs on that one update, so nothing is half done. No guard mentions the request's row,
// so that it is looked up once and found by its key.
const writeText = (change: string, counts: string) => `
  with voter as (
    select id from principals where org_id = $1 and id = $5 and eligibility_version = $18 for share
  ), request as (
    update requests r set vote_seq = $3, tally = $16${change}
    from voter where r.org_id = $1 and r.id = $2 and r.vote_seq = $3 - 1 and r.stage = $4 and r.digest = $10 and r.status = $17
      and $20::integer is not distinct from (
        select v.seq from votes v where v.org_id = $1 and v.request_id = $2 and v.stage = $4 and v.principal_id = $5
        order by v.seq desc limit 1)
      and $3 <= coalesce((${voteQuotaText('$2')}), $3)
      and exists (
        select from policies p
        where p.org_id = $1 and p.id = $19 and (p.status = 'active' or p.takes_votes_when_inactive))
    returning r.id
  ), vote as (
    insert into votes (org_id, request_id, seq, stage, principal_id, person_id, stance, seats, assurance, digest, reason, reason_salt, cast_at, signature, evidence)
    select $1, id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $21, $22::jsonb from request
  ), leaf as (
    insert into audit_leaves (org_id, kind, subject_id, content, mark, created_at)
    select $1, 'vote.cast', id, $14, $15, $13 from request
  )${counts}
  select id from request`

const writeStatement = statement<{ id: string }>(writeText('', ''))
const writeChangeStatement = statement<{ id: string }>(writeText(changeText, ''))
const writeFinalStatement = statement<{ id: string }>(writeText(changeText, countsText))

/**
 * Writes the vote, what it made of the request, and the audit leaf that tells of it, in one statement.
 * @returns false, and nothing is written, when something that the vote was judged on has changed, or the quota of votes is
 * used up
 */
export async function writeVote(db: Db, vote: VoteWrite): Promise<boolean> {
  const { leaf, change } = vote
  const values = [
    vote.orgId,
    vote.requestId,
    vote.seq,
    vote.stage,
    vote.principalId,
    vote.personId,
    vote.stance,
    vote.seats,
    vote.assurance,
    vote.digest,
    vote.reason,
    vote.reasonSalt,
    vote.at,
    leaf.content,
    leaf.mark,
    JSON.stringify(vote.tally),
    vote.from,
    vote.voterVersion,
    vote.policyId,
    vote.ownSeq,
    vote.signature,
    vote.evidence === null ? null : JSON.stringify(vote.evidence),
  ]
  const written = change === null ? await writeStatement(db, values) : await writeChange(db, values, change)
  return written.length > 0
}

async function writeChange(db: Db, values: readonly unknown[], change: RequestChange) {
  const write = change.becameFinal ? writeFinalStatement : writeChangeStatement
  return await write(db, [...values, change.status, change.isFinal, change.stage, change.updatedAt])
}
