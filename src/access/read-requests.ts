import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Actor } from '../identity/actor.ts'
import {
  countAccessRequests,
  findAccessRequest,
  listAccessRequests,
  type AccessRequestOrder,
  type AccessRequestRow,
  type Queue,
} from '../store/privx-requests.ts'
import type { Listed, Range } from '../store/page.ts'
import { findHeldRoles } from '../store/privx-handles.ts'
import { mayAccess, requireAccess } from './rights.ts'
import { showRequests, type ShownRequest } from './shown-request.ts'

/**
 * One request, for those it concerns: who asked, whom it is for, who may decide in any of its steps or did, and who may see all.
 * @throws AppError WORKFLOW_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED
 */
export async function readAccessRequest(ctx: Ctx, actor: Actor, id: string): Promise<ShownRequest> {
  const row = await requireAccessRequest(ctx, actor, id)
  const [shown] = await showRequests(ctx, actor.orgId, [row])
  if (shown === undefined) throw requestNotFound()
  if (!(await concerns(ctx, actor, shown)) && !mayAccess(actor, 'requests-view')) {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'This request does not concern you.')
  }
  return shown
}

/** @throws AppError WORKFLOW_NOT_FOUND */
export async function requireAccessRequest(ctx: Ctx, { orgId }: Actor, id: string): Promise<AccessRequestRow> {
  const row = await findAccessRequest(ctx.db, orgId, id)
  if (row === undefined) throw requestNotFound()
  return row
}

function requestNotFound(): AppError {
  return new AppError('WORKFLOW_NOT_FOUND', 'No such request.')
}

async function concerns(ctx: Ctx, { orgId, principalId }: Actor, { row, steps }: ShownRequest): Promise<boolean> {
  if (row.requester_id === principalId || row.target_id === principalId) return true
  const slots = steps.flatMap((step) => step.slots)
  if (slots.some(({ decision }) => decision?.userId === principalId)) return true
  const held = await findHeldRoles(ctx.db, orgId, principalId, ctx.clock.now())
  return slots.some(({ roleId }) => held.includes(roleId))
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
export async function readAccessRequests(
  ctx: Ctx,
  actor: Actor,
  search: RequestSearch,
  order: AccessRequestOrder,
  range: Range,
): Promise<Listed<ShownRequest>> {
  if (search.queue.kind === 'all') requireAccess(actor, 'requests-view')
  const { orgId, principalId: callerId } = actor
  const heldGroups = await findHeldRoles(ctx.db, orgId, callerId, ctx.clock.now())
  const filter = { ...search, orgId, callerId, heldGroups }
  const total = await countAccessRequests(ctx.db, filter)
  // A page past the end costs nothing, however far past it is.
  const rows = range.offset >= total ? [] : await listAccessRequests(ctx.db, filter, order, range)
  return { items: await showRequests(ctx, orgId, rows), total }
}
