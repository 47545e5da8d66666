import { sql } from 'kysely'
import { appendLeaf } from '../../audit/append.ts'
import type { LeafActor } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findMember } from '../../store/fortanix-members.ts'
import { lockOperation, updateOperation, type OperationRow } from '../../store/fortanix-requests.ts'
import type { Tx } from '../../store/open.ts'
import { isDeadlock, refusalOf, transact } from '../../store/unit-of-work.ts'
import { leafActorOf, type CustodyCaller } from '../caller.ts'
import type { Answer, DeferredOperations } from './deferred.ts'
import { jsonHmac, openJson, sealJson } from './sealed-json.ts'
import { requireNothingElse } from './touched.ts'

/**
 * Does an approved operation as whoever asked for it, whose rights are checked again, and keeps what came of it. All that it does
 * is in the database, so that once is once: what it does and that it was done are one transaction, under a lock on its row. Whoever
 * comes second finds it done. What the operation refuses is kept as its result, and undone (contract fortanix §3.6).
 */
export async function executeOperation(
  ctx: Ctx,
  operations: DeferredOperations,
  orgId: string,
  requestId: string,
): Promise<void> {
  const isDone = await transact(ctx, null, async (tx) => {
    const row = await lockOperation(tx, orgId, requestId)
    if (row?.execution !== 'due') return false
    const requester = await requesterOf(tx, row)
    const answer = await attempt(ctx, tx, operations, row, requester)
    const at = ctx.clock.now()
    const execution = isSuccess(answer) ? 'succeeded' : 'failed'
    await updateOperation(tx, orgId, requestId, {
      execution,
      result_status: answer.status,
      result: sealJson(ctx, answer.body),
      executed_at: at,
    })
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'operation.executed',
      subjectId: requestId,
      actor: actorOf(requester),
      at,
      facts: { execution, status: answer.status, resultHmac: jsonHmac(ctx, answer.body) },
    })
    return true
  })
  if (isDone) ctx.notices.announce(orgId, [requestId])
}

function isSuccess({ status }: Answer): boolean {
  return status < 300
}

/** Nothing stays of an operation that is refused on the way. @throws what is wrong with the store, and not with the operation */
async function attempt(
  ctx: Ctx,
  tx: Tx,
  operations: DeferredOperations,
  row: OperationRow,
  requester: CustodyCaller,
): Promise<Answer> {
  await sql`savepoint operation`.execute(tx)
  try {
    const call = operations.find(row.method, row.operation, openJson(ctx, row.body))
    if (call === null) throw new AppError('NOT_FOUND', 'This operation is not known any more.')
    await requireNothingElse(tx, row, await call.check(ctx, tx, requester))
    return await call.run(ctx, tx, requester)
  } catch (cause) {
    if (isDeadlock(cause)) throw cause
    await sql`rollback to savepoint operation`.execute(tx)
    const error = refusalOf(cause)
    if (error instanceof AppError) return operations.refusal(error)
    ctx.log.error({ err: error, request: row.request_id }, 'an approved operation failed')
    return operations.refusal(new AppError('UNKNOWN_ERROR'))
  }
}

/** Who asked, as they would call now. */
async function requesterOf(
  tx: Tx,
  { org_id: orgId, requester_kind: kind, requester_id: id }: OperationRow,
): Promise<CustodyCaller> {
  if (kind === 'app') return { session: null, personId: null, orgId, principalId: id, kind: 'agent' }
  const member = await findMember(tx, orgId, id)
  return { session: null, personId: id, orgId, principalId: member?.principal_id ?? null, kind: 'human' }
}

function actorOf({ kind, principalId }: CustodyCaller): LeafActor {
  return principalId === null ? { kind: 'system' } : leafActorOf({ kind, principalId })
}
