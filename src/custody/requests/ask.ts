import { createHash } from 'node:crypto'
import { openRequest } from '../../approvals/open-request.ts'
import { appendLeaf } from '../../audit/append.ts'
import { canonicalJson } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findAccount } from '../../store/fortanix-accounts.ts'
import { insertOperation } from '../../store/fortanix-requests.ts'
import { transact } from '../../store/unit-of-work.ts'
import { requireMember, type Member } from '../account-rights.ts'
import { leafActorOf, type CustodyCaller } from '../caller.ts'
import type { OperationSubject } from '../perform.ts'
import { findPolicies } from '../policies.ts'
import { reviewersOf } from '../quorum.ts'
import type { DeferredOperations } from './deferred.ts'
import { sealJson } from './sealed-json.ts'
import { snapshotPolicies } from './snapshot.ts'
import { tellTouched } from './touched.ts'

/** What is to be done once it is approved. */
export interface OperationQuestion {
  /** In capitals. */
  readonly method: string
  /** The path, with its query if there is one. */
  readonly operation: string
  /** Undefined for none. */
  readonly body: unknown
  readonly description: string | null
}

/**
 * Asks that an operation be approved: everything is checked that would stand in its way if it were done now, and the policies
 * that protect it now are those that it waits for (contract fortanix §3.2).
 * @returns the request's id
 * @throws AppError OPERATION_UNKNOWN, APPROVAL_NOT_NEEDED, and what the operation refuses with
 */
export async function askForApproval(
  ctx: Ctx,
  operations: DeferredOperations,
  caller: CustodyCaller,
  question: OperationQuestion,
): Promise<string> {
  return await transact(ctx, null, async (tx) => {
    const member = await requireMember(tx, caller)
    const { orgId } = member
    const { method, operation, body, description } = question
    const call = operations.find(method, operation, body)
    if (call === null) throw new AppError('OPERATION_UNKNOWN', undefined, { field: 'operation' })
    const checked = await call.check(ctx, tx, caller)
    const inForce = await findPolicies(tx, orgId, checked)
    if (inForce.length === 0) throw new AppError('APPROVAL_NOT_NEEDED')
    const policies = inForce.map(({ policy }) => policy)
    const account = await findAccount(tx, orgId)
    if (account === undefined) throw new Error(`account ${orgId} is gone`)
    const at = ctx.clock.now()
    const expiresAt = new Date(Math.min(at.getTime() + account.request_seconds * 1000, latest))
    const subjects = distinct(checked.subjects)
    const id = await openRequest(tx, ctx, {
      policy: await snapshotPolicies(ctx, tx, member, policies),
      actor: leafActorOf(member),
      requester: { principal: member.principalId, person: member.personId },
      name: `${method} ${operation}`,
      description,
      metadata: { ...contentOf(question, subjects), touches: tellTouched(checked, inForce) },
      expiresAt,
    })
    const reviewers = reviewersOf(policies)
    const requester = requesterOf(member)
    await insertOperation(tx, {
      org_id: orgId,
      request_id: id,
      requester_kind: requester.kind,
      requester_id: requester.id,
      method,
      operation,
      body: sealJson(ctx, body),
      subjects: JSON.stringify(subjects),
      subject_ids: subjects.map((subject) => subject.id),
      reviewers: JSON.stringify(reviewers),
      reviewer_ids: reviewers.map((reviewer) => reviewer.id),
      created_at: at,
      expires_at: expiresAt,
      is_sensitive: checked.isSensitive,
    })
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'operation.requested',
      subjectId: id,
      actor: leafActorOf(member),
      at,
      // What a body or a query says is in the digest of the request.
      facts: {
        requester,
        reviewers,
        method,
        path: operation.split('?', 1)[0],
        subjects,
        isSensitive: checked.isSensitive,
      },
    })
    return id
  })
}

/** As far as a time of the wire goes. */
const latest = Date.parse('9999-12-31T23:59:59Z')

/** What is approved: a vote, and the security key that signs for it, are for exactly this. Receipts have room for texts alone. */
function contentOf({ method, operation, body }: OperationQuestion, subjects: readonly OperationSubject[]) {
  return {
    method,
    operation,
    ...(body !== undefined && { body: createHash('sha256').update(canonicalJson(body)).digest('hex') }),
    subjects: subjects.map(({ kind, id }) => `${kind} ${id}`).join(', '),
  }
}

function distinct(subjects: readonly OperationSubject[]): readonly OperationSubject[] {
  return [...new Map(subjects.map((subject) => [`${subject.kind} ${subject.id}`, subject])).values()]
}

function requesterOf({ personId, principalId }: Member) {
  return personId === null ? ({ kind: 'app', id: principalId } as const) : ({ kind: 'person', id: personId } as const)
}
