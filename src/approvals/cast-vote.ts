import { randomBytes } from 'node:crypto'
import { commitmentTo, renderLeaf } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { callerNotFound, type Caller } from '../identity/actor.ts'
import { spendStepUp } from '../identity/step-up.ts'
import { isTerminal } from '../kernel/expiry.ts'
import { decide, type Outcome, type Stance, type Status, type Vote, type VoteRecord } from '../kernel/request.ts'
import type { Assurance, Policy } from '../kernel/rule.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import {
  findStandingApprovals,
  findVotingFacts,
  lockRequestForVote,
  writeVote,
  type RequestKey,
} from '../store/voting.ts'
import { closeDrainedPolicy } from './close-policy.ts'
import { policyRules } from './policy-rules.ts'
import { refusalError } from './refusals.ts'
import { stateOf } from './request-state.ts'
import { factsOf, standingApprovalOf, type FoundFacts } from './voting-facts.ts'

export interface CastVoteInput {
  readonly stance: Stance
  /** The groups an approval is for. */
  readonly groups: readonly string[]
  readonly reason: string | null
}

export interface CastVoteResult {
  readonly requestId: string
  readonly seq: number
  readonly status: Status
}

/**
 * Casts one vote in one transaction: lock, load, ask the kernel once, write vote, state and leaf, commit. When this returns
 * the outcome is settled.
 * @throws AppError WORKFLOW_NOT_FOUND, the refusals of `refusals.ts`, QUOTA_EXCEEDED, the STEP_UP_* codes (contract §1.4)
 */
export async function castVote(
  ctx: Ctx,
  caller: Caller,
  key: RequestKey,
  input: CastVoteInput,
): Promise<CastVoteResult> {
  const { result, from } = await transact(ctx, caller.once, async (tx) => {
    const row = await loadLocked(tx, caller, key, input.groups)
    const policy = await policyRules(tx, caller.orgId, row.policy_id)
    const now = ctx.clock.now()
    const ask = (assurance: readonly Assurance[]) =>
      askKernel(tx, caller, policy, row, voteOf(row, input, assurance), now)

    let asked = await ask([])
    if (
      asked.outcome.kind === 'refused' &&
      asked.outcome.refusal.reason === 'assurance-missing' &&
      caller.stepUp !== null
    ) {
      requireVoteQuota(row)
      await spendStepUp(tx, caller, 'vote', row.id, now)
      asked = await ask(['stepUp'])
    }
    const { vote, outcome } = asked
    if (outcome.kind === 'refused') throw refusalError(outcome.refusal, () => requireVoteQuota(row))
    requireVoteQuota(row)
    await save(tx, caller, policy, row, vote, outcome, input.reason, now)
    return { result: { requestId: row.id, seq: outcome.record.seq, status: outcome.next.status }, from: row.status }
  })
  if (result.status !== from) ctx.metrics.decisions.inc({ status: result.status })
  return result
}

type Decided = Extract<Outcome, { kind: 'decided' }> & { readonly record: VoteRecord }
type Refused = Extract<Outcome, { kind: 'refused' }>

function voteOf(row: FoundFacts, input: CastVoteInput, assurance: readonly Assurance[]): Vote {
  return {
    stance: input.stance,
    seats: input.groups.map((id) => ({ kind: 'group', id })),
    assurance,
    digest: row.digest,
  }
}

async function loadLocked(tx: Tx, caller: Caller, key: RequestKey, groups: readonly string[]): Promise<FoundFacts> {
  // Sent together; the server runs them in this order, so the second one reads what the lock waited for.
  const [, row] = await Promise.all([
    lockRequestForVote(tx, caller.orgId, key),
    findVotingFacts(tx, caller.orgId, key, caller.principalId, groups),
  ])
  return requireFacts(row, caller)
}

/** @throws AppError when the caller or the request does not exist */
export function requireFacts(row: Awaited<ReturnType<typeof findVotingFacts>>, caller: Caller): FoundFacts {
  if (row === undefined || row.voter_disabled) throw callerNotFound(caller)
  if (row.id === null) throw new AppError('WORKFLOW_NOT_FOUND')
  return row as FoundFacts
}

/** The approvals that stand are read only when the tally says that a decision may fall. */
async function askKernel(
  tx: Tx,
  caller: Caller,
  policy: Policy,
  row: FoundFacts,
  vote: Vote,
  now: Date,
): Promise<{ vote: Vote; outcome: Decided | Refused }> {
  const state = stateOf(row)
  const facts = factsOf(row, caller.principalId)
  let outcome = decide(policy, state, { kind: 'vote', vote, facts }, now.getTime())
  if (outcome.kind === 'needs-approvals') {
    const rows = await findStandingApprovals(tx, caller.orgId, row.id, row.stage)
    const approvals = rows.map((approval) => standingApprovalOf(approval, row))
    outcome = decide(policy, state, { kind: 'vote', vote, facts: { ...facts, approvals } }, now.getTime())
  }
  if (outcome.kind === 'refused') return { vote, outcome }
  if (outcome.kind === 'needs-approvals' || outcome.record === undefined)
    throw new Error('the kernel did not settle a vote')
  return { vote, outcome: { ...outcome, record: outcome.record } }
}

function requireVoteQuota(row: FoundFacts): void {
  if (row.vote_quota !== null && row.vote_seq + 1 > Number(row.vote_quota)) throw new AppError('QUOTA_EXCEEDED')
}

async function save(
  tx: Tx,
  caller: Caller,
  policy: Policy,
  row: FoundFacts,
  vote: Vote,
  { next, record }: Decided,
  reason: string | null,
  at: Date,
): Promise<void> {
  const seats = record.seats.map((seat) => seat.id)
  const reasonSalt = reason === null ? null : randomBytes(16).toString('base64url')
  const leaf = renderLeaf({
    orgId: caller.orgId,
    kind: 'vote.cast',
    subjectId: row.id,
    actor: { kind: caller.kind, id: caller.principalId },
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
  const isFinal = isTerminal(policy, next)
  const becameFinal = isFinal && !row.is_final
  await writeVote(tx, {
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
    next: {
      status: next.status,
      isFinal,
      stage: next.stage,
      tally: next.tally,
      updatedAt: next.status === row.status ? row.updated_at : at,
    },
    becameFinal,
    leaf: { content: leaf.content, private: null },
  })
  if (becameFinal && row.policy_status !== 'active') await closeDrainedPolicy(tx, caller.orgId, row.policy_id, at)
}
