import { expireNow } from '../approvals/expire-requests.ts'
import { readAccessRequest } from '../access/read-requests.ts'
import { loadMember } from '../access/member.ts'
import { currentStatus, readRequest } from '../approvals/read-request.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Caller } from '../identity/actor.ts'
import { findRequest, type RequestRow } from '../store/requests.ts'
import type { RequestKey } from '../store/voting.ts'
import { buildReceipt } from './build-receipt.ts'

/**
 * The receipt of a decided request of any dialect, for those who may read the request there. One whose time is up expires by
 * being asked about.
 * @throws AppError WORKFLOW_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED, WORKFLOW_NOT_DECIDED, RECEIPT_UNAVAILABLE, SESSION_ENDED
 */
export async function readReceipt(ctx: Ctx, caller: Caller, key: RequestKey): Promise<string> {
  const found = await readAnywhere(ctx, caller, key)
  const { org_id: orgId, id } = found
  if (currentStatus(found, ctx.clock.now()) === 'expired' && found.status !== 'expired') await expireNow(ctx, orgId, id)
  const row = await findRequest(ctx.db, orgId, id)
  if (row === undefined) throw new AppError('WORKFLOW_NOT_FOUND')
  if (row.status === 'open') throw new AppError('WORKFLOW_NOT_DECIDED')
  return await buildReceipt(ctx, row)
}

async function readAnywhere(ctx: Ctx, caller: Caller, key: RequestKey): Promise<RequestRow> {
  const row = 'id' in key ? await findRequest(ctx.db, caller.orgId, key.id) : undefined
  if (row?.dialect !== 'privx') return await readRequest(ctx, caller, key)
  return (await readAccessRequest(ctx, await loadMember(ctx, caller), row.id)).row
}
