import { mayReadRequest } from '../approvals/may-read-request.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import {
  countAccessRequests,
  findAccessRequest,
  listAccessRequests,
  type AccessRequestOrder,
  type AccessRequestRow,
  type Queue,
} from '../store/privx-requests.ts'
import type { Listed, Range } from '../store/page.ts'
import { showRequests, type ShownRequest } from './shown-request.ts'
import { heldRoles, type Member } from './member.ts'

/**
 * One request, for those it concerns: who asked, whom it is for, who may decide in any of its steps or did, and who may see all.
 * @throws AppError WORKFLOW_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED
 */
export async function readAccessRequest(ctx: Ctx, member: Member, id: string): Promise<ShownRequest> {
  const row = await requireAccessRequest(ctx, member, id)
  if (!(await mayReadRequest(ctx, member, row))) {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'This request does not concern you.')
  }
  const [shown] = await showRequests(ctx, member.orgId, [row])
  if (shown === undefined) throw requestNotFound()
  return shown
}

/** @throws AppError WORKFLOW_NOT_FOUND */
export async function requireAccessRequest(ctx: Ctx, { orgId }: Member, id: string): Promise<AccessRequestRow> {
  const row = await findAccessRequest(ctx.db, orgId, id)
  if (row === undefined) throw requestNotFound()
  return row
}

function requestNotFound(): AppError {
  return new AppError('WORKFLOW_NOT_FOUND', 'No such request.')
}

export interface RequestSearch {
  readonly queue: Queue
  /** Null for any. */
  readonly keywords: string | null
  /** Bounds of when it was made, both included; null for none. */
  readonly from: Date | null
  readonly to: Date | null
}

export const everythingIn = (queue: Queue): RequestSearch => ({ queue, keywords: null, from: null, to: null })

/** @throws AppError REQUESTOR_NOT_AUTHORIZED when all are asked for by who may not see all */
export function requireQueue({ access }: Member, { kind }: Queue): void {
  if (kind === 'all') access.require('requests-view')
}

/** @throws AppError as `requireQueue` does */
export async function readAccessRequests(
  ctx: Ctx,
  member: Member,
  search: RequestSearch,
  order: AccessRequestOrder,
  range: Range,
): Promise<Listed<ShownRequest>> {
  requireQueue(member, search.queue)
  const { orgId, principalId: callerId, personId: callerPersonId } = member
  const filter = { ...search, orgId, callerId, callerPersonId, heldGroups: heldRoles(member) }
  const total = await countAccessRequests(ctx.db, filter)
  // A page past the end costs nothing, however far past it is.
  const rows = range.offset >= total ? [] : await listAccessRequests(ctx.db, filter, order, range)
  return { items: await showRequests(ctx, orgId, rows), total }
}
