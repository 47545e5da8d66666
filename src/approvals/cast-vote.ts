import { policyDigest } from '../audit/digest.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { callerNotFound, leafActorOf, refuseEndedSession, type Caller } from '../identity/actor.ts'
import { spendVoteSignature } from '../identity/agents/spend-vote-signature.ts'
import type { VoteProofs } from '../identity/webauthn/vote-factors.ts'
import { spendStepUp } from '../identity/step-up.ts'
import { refuseByTime } from '../kernel/eligibility.ts'
import { isTerminal } from '../kernel/expiry.ts'
import type { GrantTerms } from '../kernel/grant-terms.ts'
import type { Stance, Status, Vote, VoteRecord } from '../kernel/request.ts'
import type { Assurance } from '../kernel/rule.ts'
import type { Tx } from '../store/open.ts'
import type { Dialect } from '../store/schema.ts'
import { isDeadlock, transact } from '../store/unit-of-work.ts'
import { findVoteQuota, findVotingFacts, lockRequestForVote, type RequestKey } from '../store/voting.ts'
import { closeDrainedPolicy } from './close-policy.ts'
import { countDecision, type Decision } from './count-decision.ts'
import { judgeGrant, settleGrant } from './decided-grant.ts'
import { enqueueActions, triggeredActions } from './enqueue-actions.ts'
import { accept, isAboutProof, judge, needsProof } from './judge-vote.ts'
import { policyRules, type PolicyRules } from './policy-rules.ts'
import { recordVote, rowAfter } from './record-vote.ts'
import { later, stateOf } from './request-state.ts'
import {
  allFacts,
  holdFacts,
  holdPrincipals,
  holdToApprove,
  HoldTooWeak,
  requireHold,
  voterAlone,
  type VoteHold,
} from './vote-hold.ts'
import type { FoundFacts } from './voting-facts.ts'

export interface CastVoteInput {
  readonly stance: Stance
  /** The groups an approval is for; null for whichever the voter holds. */
  readonly groups: readonly string[] | null
  readonly reason: string | null
  /** The voter's own signature over the vote, a compact JWS; null without. */
  readonly signature: string | null
  /** What came with the vote to prove the person who casts it. */
  readonly proofs?: VoteProofs
  /** The dialect that the request must be of: by default the native one. */
  readonly dialect?: Dialect
  /** The stage that the voter means: the vote is refused when another is open. */
  readonly stage?: number
  /** With an approval of a request that grants a role: put in place of what was asked for. */
  readonly terms?: Partial<GrantTerms>
  /** What the dialect writes beside the vote, in its transaction, which may run again. */
  readonly alongside?: (tx: Tx, vote: VoteWritten) => Promise<void>
}

/** A vote as it stands in its transaction. */
export interface VoteWritten {
  readonly requestId: string
  /** What the request is from now on. */
  readonly status: Status
  readonly at: Date
}

export interface CastVoteResult {
  readonly requestId: string
  readonly seq: number
  readonly status: Status
}

/**
 * Casts one vote in one transaction. When this returns the outcome is settled.
 *
 * A vote that decides nothing is written by one statement that holds only if the request and the voter's eligibility are
 * still as they were read; every other vote, and one that met a change on the way, locks both first (ADR 2).
 * Outside of the native dialect it always locks: such a vote may grant a role. Votes on other requests wait for it only where
 * it takes a role away, or gives one to their voter.
 * @throws AppError WORKFLOW_NOT_FOUND, STAGE_NOT_OPEN, the refusals of `refusals.ts`, QUOTA_EXCEEDED, the STEP_UP_* codes
 * (contract §1.4), the VOTE_SIGNATURE_* codes, FACTOR_MISSING, FACTOR_WRONG, ROLE_DELETED, GRANT_TERMS_INVALID
 */
export async function castVote(
  ctx: Ctx,
  caller: Caller,
  key: RequestKey,
  input: CastVoteInput,
): Promise<CastVoteResult> {
  if (isNative(input)) {
    return (await castUncontested(ctx, caller, key, input)) ?? (await castLocked(ctx, caller, key, input, voterAlone))
  }
  for (let hold = await expectHold(ctx, caller, key, input); ;) {
    try {
      return await castLocked(ctx, caller, key, input, hold)
    } catch (error) {
      if (!(error instanceof HoldTooWeak)) throw error
      hold = error.needed
    }
  }
}

function isNative({ dialect = 'native' }: CastVoteInput): boolean {
  return dialect === 'native'
}

/** Null when the vote has to be cast under the lock. */
async function castUncontested(
  ctx: Ctx,
  caller: Caller,
  key: RequestKey,
  input: CastVoteInput,
): Promise<CastVoteResult | null> {
  // What is used up with a vote is used up in its transaction.
  if (caller.once !== null || caller.stepUp !== null || input.signature !== null || input.proofs !== undefined)
    return null
  const now = ctx.clock.now()
  const recalled = recall(ctx, caller, key, now)
  if (recalled !== undefined) {
    const cast = await castOn(ctx, caller, input, recalled, { isRecalled: true, asked: now })
    if (cast !== 'refused') return cast
  }
  const asked = ctx.clock.now()
  const row = requireFacts(await findVotingFacts(ctx.db, caller.orgId, key, caller.principalId, asked), caller)
  ctx.store.votingMemory.learn(caller.orgId, caller.principalId, row)
  const cast = await castOn(ctx, caller, input, row, { isRecalled: false, asked })
  return cast === 'refused' ? null : cast
}

function recall(ctx: Ctx, caller: Caller, key: RequestKey, now: Date): FoundFacts | undefined {
  if (!('id' in key)) return undefined
  const recalled = ctx.store.votingMemory.recall(caller.orgId, key.id, caller.principalId, now)
  // A sign-in that ended is refused, and that is never done from memory.
  if (caller.sessionId !== null && recalled?.voter_ended_sessions.includes(caller.sessionId)) return undefined
  return recalled
}

/**
 * Writes the vote if it decides nothing and the row is still true; null when it does, or is not.
 * @param asked the instant for which the row tells whose seats the voter holds
 */
async function castOn(
  ctx: Ctx,
  caller: Caller,
  input: CastVoteInput,
  row: FoundFacts,
  { isRecalled, asked }: { readonly isRecalled: boolean; readonly asked: Date },
): Promise<CastVoteResult | 'refused' | null> {
  const policy = await policyRules(ctx.db, caller.orgId, row.policy_id)
  // Where agents count as their person, theirs are other votes to read; of another dialect it is told under the lock.
  if (policy.options.naturalPersons || policy.dialect !== 'native') return null
  const at = instantFor(asked, row)
  const { vote, outcome } = await judge(null, caller, policy, row, voteOf(row, input, []), at)
  // Before a proof is asked for the quota has its word, and that is read under the lock.
  if (outcome === null || isAboutProof(outcome)) return null
  if (isRecalled && outcome.kind === 'refused') return 'refused'
  const { record, next } = accept(outcome)
  const decidesNothing = next.status === row.status && next.stage === row.stage
  if (!decidesNothing) return null
  const proofs = { signature: null, evidence: null }
  const judged = { row, vote, record, next, reason: input.reason, ...proofs, at, approvals: null, terms: null }
  const isWritten = await recordVote(ctx, ctx.db, caller, policy, judged).catch(falseOnDeadlock)
  if (!isWritten) {
    ctx.store.votingMemory.forget(caller.orgId, row.id, caller.principalId)
    return null
  }
  ctx.store.votingMemory.learn(caller.orgId, caller.principalId, rowAfter(judged))
  return castOf(row, record, next.status)
}

/** What the vote will have to hold as far as can be seen before; whether it was enough is found out under the lock. */
async function expectHold(ctx: Ctx, caller: Caller, key: RequestKey, input: CastVoteInput): Promise<VoteHold> {
  if (input.stance !== 'approve') return voterAlone
  // Part of a larger transaction, which cannot begin again for it.
  if (ctx.db.isTransaction) return allFacts
  const asked = ctx.clock.now()
  const row = await findVotingFacts(ctx.db, caller.orgId, key, caller.principalId, asked)
  if (row === undefined || row.id === null) return voterAlone
  const found = row as FoundFacts
  const policy = await policyRules(ctx.db, caller.orgId, found.policy_id)
  const { outcome } = await judge(null, caller, policy, found, voteOf(found, input, []), instantFor(asked, found))
  // Without the standing approvals the kernel may not say; then only the last stage decides.
  const isLast = found.stage >= policy.stages.length - 1
  const mayApprove = outcome === null ? isLast : outcome.kind === 'decided' && outcome.next.status === 'approved'
  return mayApprove ? await holdToApprove(ctx.db, caller.orgId, found.id) : voterAlone
}

/** @throws HoldTooWeak beside what `castVote` throws */
async function castLocked(
  ctx: Ctx,
  caller: Caller,
  key: RequestKey,
  input: CastVoteInput,
  hold: VoteHold,
): Promise<CastVoteResult> {
  // Not part of the answer: one that is given again was counted the first time.
  let decision: Decision | null = null
  const cast = await transact(ctx, caller.once, async (tx, withCommit) => {
    const dialect = input.dialect ?? 'native'
    await holdFacts(tx, hold, caller.orgId)
    const asked = ctx.clock.now()
    // Sent together; the server runs them in this order, so the last two read what the locks waited for.
    const [openedAt, , found, quota] = await Promise.all([
      lockRequestForVote(tx, caller.orgId, key),
      holdPrincipals(tx, hold, caller.orgId, caller.principalId),
      findVotingFacts(tx, caller.orgId, key, caller.principalId, asked),
      findVoteQuota(tx, caller.orgId, key),
    ])
    const now = ctx.clock.now()
    const row = await asOf(tx, caller, requireFacts(found, caller), now)
    const policy = await policyRules(tx, caller.orgId, row.policy_id)
    if (policy.dialect !== dialect) throw new AppError('WORKFLOW_NOT_FOUND')
    const at = instantFor(now, row)
    requireStage(policy, row, input, at)
    const requireVoteQuota = () => {
      if (quota !== null && row.vote_seq + 1 > quota) throw new AppError('QUOTA_EXCEEDED')
    }
    // Whoever may not vote is told that first (contract §3.3): signature and proofs are taken for good here and checked below.
    const claimed: readonly Assurance[] = input.proofs?.claims ?? []
    const signed: readonly Assurance[] = input.signature === null ? claimed : ['signature', ...claimed]
    let judged = await judge(tx, caller, policy, row, voteOf(row, input, signed), at)
    if (caller.stepUp !== null && needsProof(judged.outcome)) {
      requireVoteQuota()
      await spendStepUp(tx, caller, 'vote', row.id, ctx.clock.now())
      judged = await judge(tx, caller, policy, row, voteOf(row, input, [...signed, 'stepUp']), at)
    }
    const { vote, outcome, approvals } = judged
    if (outcome === null) throw new Error('the kernel asked for approvals twice')
    const { record, next } = accept(outcome, requireVoteQuota)
    const { signature, stance } = input
    if (signature !== null) {
      const seats = input.groups ?? record.seats.map(({ id }) => id)
      await spendVoteSignature(ctx, tx, caller, signature, {
        requestId: row.id,
        digest: row.digest,
        policyDigest: policyDigest(policy),
        stance,
        // As the locked row has it: what the agent read may be of before.
        stage: record.stage,
        seats,
        at,
      })
    }
    const evidence = (await input.proofs?.check(tx, { stance, ...provenBy(caller, policy, row) })) ?? null
    const { orgId } = caller
    const { id: requestId, policy_id: policyId, status: from } = row
    const changed = next.status !== from
    const isApproved = changed && next.status === 'approved'
    if (dialect !== 'native' && isApproved) await requireHold(tx, hold, orgId, requestId)
    const { terms = null } = input
    const grant = dialect === 'native' ? null : await judgeGrant(tx, { orgId, requestId, stance, terms, at })
    const triggered = changed ? await triggeredActions(ctx, tx, orgId, policyId, next.status) : []
    const recorded = recordVote(ctx, tx, caller, policy, {
      row,
      vote,
      record,
      next,
      reason: input.reason,
      signature,
      evidence,
      at,
      approvals,
      terms: grant?.terms ?? null,
    })
    const written = recorded.then(requireWritten)
    withCommit(written)
    if (grant !== null) {
      await written
      const decided = { orgId, requestId, actor: leafActorOf(caller), seq: record.seq, isApproved, at }
      await settleGrant(ctx, tx, decided, grant)
    }
    if (input.alongside !== undefined) {
      await written
      await input.alongside(tx, { requestId, status: next.status, at })
    }
    if (triggered.length > 0) {
      await written
      const transition = { requestId, from, to: next.status, seq: record.seq, occurredAt: at }
      await enqueueActions(ctx, tx, orgId, triggered, [transition])
    }
    const isFinal = isTerminal(policy, next)
    decision = changed && openedAt !== undefined ? { status: next.status, isFinal, openedAt, at } : null
    if (row.policy_status !== 'active' && isFinal) {
      await written
      await closeDrainedPolicy(ctx, tx, orgId, policyId, at)
    }
    return castOf(row, record, next.status)
  })
  if (decision !== null) {
    countDecision(ctx, decision)
    ctx.notices.announce(caller.orgId, [cast.requestId])
  }
  ctx.store.votingMemory.forget(caller.orgId, cast.requestId, caller.principalId)
  return cast
}

/** One instant to judge by and to write: never before what the log has of the request, though another clock be ahead. */
function instantFor(now: Date, { last_at }: FoundFacts): Date {
  return later(now, last_at)
}

/** The row, read again when the locks were waited for beyond the end or the beginning of a membership. */
async function asOf(tx: Tx, caller: Caller, row: FoundFacts, now: Date): Promise<FoundFacts> {
  if (row.voter_until === null || now < row.voter_until) return row
  return requireFacts(await findVotingFacts(tx, caller.orgId, { id: row.id }, caller.principalId, now), caller)
}

/** Of a request that is still open: what is over is told before what it is at. @throws AppError STAGE_NOT_OPEN */
function requireStage(policy: PolicyRules, row: FoundFacts, { stage }: CastVoteInput, now: Date): void {
  if (stage === undefined || stage === row.stage) return
  if (refuseByTime(policy, stateOf(row), now.getTime()) === undefined) throw new AppError('STAGE_NOT_OPEN')
}

/** What deletes a whole space holds the request first and the voter second: of a vote that meets it one of the two is ended. */
function falseOnDeadlock(error: unknown): false {
  if (isDeadlock(error)) return false
  throw error
}

/** Under the lock nothing can have changed; if it had, the vote would be lost unnoticed. */
function requireWritten(isWritten: boolean): void {
  if (!isWritten) throw new Error('a locked request changed while it was voted on')
}

/** @throws AppError when the caller or the request does not exist, SESSION_ENDED */
export function requireFacts(row: Awaited<ReturnType<typeof findVotingFacts>>, caller: Caller): FoundFacts {
  if (row === undefined || row.voter_disabled) throw callerNotFound(caller)
  refuseEndedSession(caller, row.voter_ended_sessions)
  if (row.id === null) throw new AppError('WORKFLOW_NOT_FOUND')
  return row as FoundFacts
}

function voteOf(row: FoundFacts, input: CastVoteInput, assurance: readonly Assurance[]): Vote {
  return {
    stance: input.stance,
    ...(input.groups !== null && { seats: input.groups.map((id) => ({ kind: 'group', id }) as const) }),
    assurance,
    digest: row.digest,
  }
}

function provenBy({ orgId }: Caller, policy: PolicyRules, { id: requestId, digest }: FoundFacts) {
  return { orgId, requestId, digest, policyDigest: policyDigest(policy) }
}

function castOf(row: FoundFacts, record: VoteRecord, status: Status): CastVoteResult {
  return { requestId: row.id, seq: record.seq, status }
}
