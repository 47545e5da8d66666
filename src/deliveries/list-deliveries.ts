import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Actor } from '../identity/actor.ts'
import { requireAdmin } from '../identity/authorize.ts'
import * as store from '../store/delivery-list.ts'
import { showDelivery, type ShownDelivery } from './shown-delivery.ts'

export interface DeliveryQuery {
  readonly filter: store.DeliveryFilter
  /** Where the page before ended; null for the first. */
  readonly place: store.DeliveryPlace | null
  readonly limit: number
}

export interface DeliveryPage {
  readonly deliveries: readonly ShownDelivery[]
  /** Where the next page begins; null after the last. */
  readonly next: store.DeliveryPlace | null
}

/**
 * What was sent of decisions or is still to be, newest first.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function listDeliveries(
  ctx: Ctx,
  actor: Actor,
  { filter, place, limit }: DeliveryQuery,
): Promise<DeliveryPage> {
  requireAdmin(actor)
  // One more than asked for tells whether there are more.
  const rows = await store.listDeliveries(ctx.db, actor.orgId, filter, { place, limit: limit + 1 })
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    deliveries: shown.map((row) => showDelivery(ctx, row)),
    next: rows.length > limit && last !== undefined ? { at: last.created_at, id: last.id } : null,
  }
}

/**
 * A delivery of the caller's organization; null stands for an id that none can have.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, DELIVERY_NOT_FOUND
 */
export async function findDelivery(ctx: Ctx, actor: Actor, id: string | null): Promise<ShownDelivery> {
  requireAdmin(actor)
  const row = id === null ? undefined : await store.findListedDelivery(ctx.db, actor.orgId, id)
  if (row === undefined) throw new AppError('DELIVERY_NOT_FOUND')
  return showDelivery(ctx, row)
}
