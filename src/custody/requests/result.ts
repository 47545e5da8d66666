import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findAccount } from '../../store/fortanix-accounts.ts'
import { lockOperation, updateOperation, type OperationRow } from '../../store/fortanix-requests.ts'
import type { Tx } from '../../store/open.ts'
import { transact } from '../../store/unit-of-work.ts'
import { requireMember } from '../account-rights.ts'
import { leafActorOf, type CustodyCaller } from '../caller.ts'
import type { Answer, DeferredOperations } from './deferred.ts'
import { requireVisibleOperation, wireIdOf } from './read.ts'
import { openJson } from './sealed-json.ts'

/**
 * What came of an operation, for whoever asked for it, as often as they like. What is secret is for who may still do the
 * operation, unless the account says otherwise (contract fortanix §3.6).
 * @throws AppError OPERATION_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED, OPERATION_WITHOUT_RESULT
 */
export async function readResult(
  ctx: Ctx,
  operations: DeferredOperations,
  caller: CustodyCaller,
  id: string,
): Promise<Answer> {
  return await transact(ctx, null, async (tx) => {
    const member = await requireMember(tx, caller)
    const { orgId } = member
    const seen = await requireVisibleOperation(ctx, tx, member, id)
    if (seen.requester_id !== wireIdOf(member)) {
      throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'The result is for who asked for the operation.')
    }
    const row = await lockOperation(tx, orgId, id)
    if (row === undefined) throw new AppError('OPERATION_NOT_FOUND')
    const { result_status: status } = row
    if (status === null || row.expires_at <= ctx.clock.now()) throw new AppError('OPERATION_WITHOUT_RESULT')
    if (row.is_sensitive && row.execution === 'succeeded') await requireStillAllowed(ctx, tx, operations, caller, row)
    if (!row.is_result_viewed) {
      await updateOperation(tx, orgId, id, { is_result_viewed: true })
      const leaf = { orgId, subjectId: id, actor: leafActorOf(member), at: ctx.clock.now(), facts: {} }
      await appendLeaf(ctx, tx, { ...leaf, kind: 'operation.result-read' })
    }
    return { status, body: openJson(ctx, row.result) ?? null }
  })
}

async function requireStillAllowed(
  ctx: Ctx,
  tx: Tx,
  operations: DeferredOperations,
  caller: CustodyCaller,
  row: OperationRow,
): Promise<void> {
  if ((await findAccount(tx, row.org_id))?.checks_sensitive !== true) return
  try {
    await operations.find(row.method, row.operation, openJson(ctx, row.body))?.check(ctx, tx, caller)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', `The result is not for you any more: ${error.message}`)
  }
}
