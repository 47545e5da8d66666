import { castVote, type CastVoteInput, type CastVoteResult, type VoteWritten } from '../../approvals/cast-vote.ts'
import { policyRules } from '../../approvals/policy-rules.ts'
import { appendLeaf } from '../../audit/append.ts'
import { policyDigest } from '../../audit/digest.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { openVoteChallenge, type Protocol, type VoteRequest } from '../../identity/webauthn/challenges.ts'
import { withVoteFactors, type VoteFactors, type VoteProofs } from '../../identity/webauthn/vote-factors.ts'
import { findAccount } from '../../store/fortanix-accounts.ts'
import { insertApprovalBody, updateOperation } from '../../store/fortanix-requests.ts'
import type { Tx } from '../../store/open.ts'
import { findRequest } from '../../store/requests.ts'
import { requireMember, type Member } from '../account-rights.ts'
import { leafActorOf, type CustodyCaller } from '../caller.ts'
import { requireLockedDevices } from '../sessions.ts'
import type { DeferredOperations } from './deferred.ts'
import { executeOperation } from './execute.ts'
import { requireVisibleOperation, wireIdOf } from './read.ts'
import { jsonHmac, sealJson } from './sealed-json.ts'

export interface OperationApproval {
  readonly factors: VoteFactors
  /** Kept beside the approval; undefined for none. */
  readonly body: unknown
}

/**
 * Approves an operation, and does it if this was the last approval that it waited for: when this returns both are settled
 * (contract fortanix §3.4, §3.6).
 * @throws AppError OPERATION_NOT_FOUND, NOT_A_REVIEWER, OPERATION_NOT_PENDING, FACTOR_MISSING, FACTOR_WRONG, DEVICES_UNLOCKED,
 *   and the refusals of `refusals.ts`
 */
export async function approveOperation(
  ctx: Ctx,
  operations: DeferredOperations,
  caller: CustodyCaller,
  id: string,
  { factors, body }: OperationApproval,
): Promise<void> {
  const member = await requireReviewable(ctx, caller, id)
  const isSent = Object.keys(factors).length > 0
  if (isSent && member.personId === null) {
    throw new AppError('FACTOR_WRONG', 'An app has neither password nor security key.')
  }
  if (factors.fido2 !== undefined || factors.u2f !== undefined) requireLockedDevices(ctx, caller)
  const cast = async (proofs?: VoteProofs) =>
    await decide(ctx, caller, member, id, {
      stance: 'approve',
      reason: null,
      ...(proofs !== undefined && { proofs }),
      alongside: async (tx, vote) => {
        if (body !== undefined) await keepBody(ctx, tx, member, vote, body)
        if (vote.status === 'approved') await makeDue(ctx, tx, member, vote)
      },
    })
  const { status } =
    isSent && member.personId !== null
      ? await withVoteFactors(ctx, { personId: member.personId, requestId: id }, factors, cast)
      : await cast()
  if (status === 'approved') await executeOperation(ctx, operations, member.orgId, id)
}

/**
 * Denies an operation, for good (contract fortanix §3.5).
 * @throws AppError OPERATION_NOT_FOUND, NOT_A_REVIEWER, OPERATION_NOT_PENDING, and the refusals of `refusals.ts`
 */
export async function denyOperation(ctx: Ctx, caller: CustodyCaller, id: string, reason: string | null): Promise<void> {
  const member = await requireReviewable(ctx, caller, id)
  await decide(ctx, caller, member, id, {
    stance: 'veto',
    reason,
    alongside: async (tx, { requestId }) => await updateOperation(tx, member.orgId, requestId, { execution: 'denied' }),
  })
}

/**
 * Opens the challenge that a reviewer's security key signs with their approval (contract fortanix §5.1, §5.2).
 * @throws AppError OPERATION_NOT_FOUND, NOT_A_REVIEWER, OPERATION_NOT_PENDING, DEVICES_UNLOCKED, SECURITY_KEY_MISSING
 */
export async function openApprovalChallenge(
  ctx: Ctx,
  caller: CustodyCaller,
  id: string,
  protocol: Protocol,
): Promise<VoteRequest> {
  const member = await requireReviewable(ctx, caller, id)
  const { orgId, personId } = member
  if (personId === null) throw new AppError('SECURITY_KEY_MISSING')
  requireLockedDevices(ctx, caller)
  const request = await findRequest(ctx.db, orgId, id)
  if (request === undefined) throw new AppError('OPERATION_NOT_FOUND')
  const policy = policyDigest(await policyRules(ctx.db, orgId, request.policy_id))
  const vote = { orgId, requestId: id, digest: request.digest, policyDigest: policy, personId }
  return await openVoteChallenge(ctx, vote, protocol)
}

/** The caller, who may decide on it now. */
async function requireReviewable(ctx: Ctx, caller: CustodyCaller, id: string): Promise<Member> {
  const member = await requireMember(ctx.db, caller)
  const row = await requireVisibleOperation(ctx, ctx.db, member, id)
  requireReviewer(member)
  if (!row.reviewer_ids.includes(wireIdOf(member))) throw new AppError('NOT_A_REVIEWER')
  if (row.execution !== 'waiting' || row.expires_at <= ctx.clock.now()) throw new AppError('OPERATION_NOT_PENDING')
  return member
}

/** Whoever became an auditor only looks on, wherever they were named before. @throws AppError NOT_A_REVIEWER */
function requireReviewer({ role }: Member): void {
  if (role === 'auditor') throw new AppError('NOT_A_REVIEWER')
}

type Decision = Pick<CastVoteInput, 'stance' | 'reason' | 'proofs'> & Required<Pick<CastVoteInput, 'alongside'>>

async function decide(
  ctx: Ctx,
  caller: CustodyCaller,
  { orgId, principalId, kind }: Member,
  id: string,
  { alongside, ...decision }: Decision,
): Promise<CastVoteResult> {
  const voter = { orgId, principalId, kind, sessionId: null, stepUp: null, once: null }
  return await castVote(
    ctx,
    voter,
    { id },
    {
      ...decision,
      groups: null,
      signature: null,
      dialect: 'fortanix',
      async alongside(tx, vote) {
        // Whoever was shut out of the account meanwhile decides nothing in it.
        requireReviewer(await requireMember(tx, caller))
        await alongside(tx, vote)
      },
    },
  )
}

async function keepBody(ctx: Ctx, tx: Tx, member: Member, { requestId, at }: VoteWritten, body: unknown) {
  const { orgId, principalId } = member
  const sealed = sealJson(ctx, body)
  if (sealed === null) return
  await insertApprovalBody(tx, { org_id: orgId, request_id: requestId, principal_id: principalId, body: sealed })
  const facts = { bodyHmac: jsonHmac(ctx, body) }
  const leaf = { orgId, subjectId: requestId, actor: leafActorOf(member), at, facts }
  await appendLeaf(ctx, tx, { ...leaf, kind: 'operation.contributed' })
}

/** Sees to it that it is done, by whoever approves it here or, should they not live to, by a job. */
async function makeDue(ctx: Ctx, tx: Tx, member: Member, { requestId, at }: VoteWritten): Promise<void> {
  const { orgId } = member
  const seconds = (await findAccount(tx, orgId))?.request_seconds ?? 0
  const expiresAt = new Date(at.getTime() + seconds * 1000)
  await updateOperation(tx, orgId, requestId, { execution: 'due', expires_at: expiresAt })
  await ctx.store.jobs.enqueue(tx, 'execute-operation', [{ data: { orgId, requestId }, delaySeconds }])
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'operation.due',
    subjectId: requestId,
    actor: leafActorOf(member),
    at,
    facts: { expiresAt: expiresAt.toISOString() },
  })
}

/** So long the job leaves it to the approving call. */
const delaySeconds = 2
