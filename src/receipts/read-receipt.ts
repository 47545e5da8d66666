import { expireNow } from '../approvals/expire-requests.ts'
import { currentStatus, readRequest } from '../approvals/read-request.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Caller } from '../identity/actor.ts'
import { findRequest, type RequestRow } from '../store/requests.ts'
import type { RequestKey } from '../store/voting.ts'
import { buildReceipt } from './build-receipt.ts'

/**
 * The receipt of a decided native request, for anyone of its organization. One whose time is up expires by being asked about.
 * @throws AppError WORKFLOW_NOT_FOUND, WORKFLOW_NOT_DECIDED, RECEIPT_UNAVAILABLE, SESSION_ENDED
 */
export async function readReceipt(ctx: Ctx, caller: Caller, key: RequestKey): Promise<string> {
  return await readReceiptOf(ctx, await readRequest(ctx, caller, key))
}

/** The same of a request of any dialect, for who may read it. */
export async function readReceiptOf(ctx: Ctx, found: RequestRow): Promise<string> {
  const { org_id: orgId, id } = found
  if (currentStatus(found, ctx.clock.now()) === 'expired' && found.status !== 'expired') await expireNow(ctx, orgId, id)
  const row = await findRequest(ctx.db, orgId, id)
  if (row === undefined) throw new AppError('WORKFLOW_NOT_FOUND')
  if (row.status === 'open') throw new AppError('WORKFLOW_NOT_DECIDED')
  return await buildReceipt(ctx, row)
}
