import { openAction } from '../approvals/actions.ts'
import { deliveryJob, destinationOf } from '../approvals/enqueue-actions.ts'
import { appendLeaves } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, loadActor, type Caller } from '../identity/actor.ts'
import { requireAdmin } from '../identity/authorize.ts'
import type { NewJob } from '../store/job-queue.ts'
import type { Tx } from '../store/open.ts'
import {
  findFailedDeliveries,
  findListedDelivery,
  reopenDeliveries,
  type DeliveryFilter,
  type ListedDelivery,
} from '../store/delivery-list.ts'
import { transact } from '../store/unit-of-work.ts'
import { showDelivery, type ShownDelivery } from './shown-delivery.ts'

/** Attempts a second at one destination: one that has just come back is not stormed. */
const perSecond = 10

/**
 * Sends a delivery again that has failed, with all the attempts of a new one.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, DELIVERY_NOT_FOUND, DELIVERY_NOT_FAILED
 */
export async function requeueDelivery(ctx: Ctx, caller: Caller, id: string | null): Promise<ShownDelivery> {
  return await transact(ctx, caller.once, async (tx) => {
    requireAdmin(await loadActor(tx, caller))
    const known = id === null ? undefined : await findListedDelivery(tx, caller.orgId, id)
    if (known === undefined) throw new AppError('DELIVERY_NOT_FOUND')
    const [requeued] = await requeue(ctx, tx, caller, [known.id])
    if (requeued === undefined) throw new AppError('DELIVERY_NOT_FAILED')
    return showDelivery(ctx, requeued)
  })
}

export interface Requeue extends Omit<DeliveryFilter, 'statuses'> {
  readonly limit: number
}

/**
 * Sends the oldest deliveries again that have failed.
 * @returns how many
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function requeueDeliveries(ctx: Ctx, caller: Caller, { limit, ...filter }: Requeue): Promise<number> {
  return await transact(ctx, caller.once, async (tx) => {
    requireAdmin(await loadActor(tx, caller))
    const failed = await findFailedDeliveries(tx, caller.orgId, filter, limit)
    return (await requeue(ctx, tx, caller, failed)).length
  })
}

async function requeue(ctx: Ctx, tx: Tx, caller: Caller, ids: readonly string[]): Promise<readonly ListedDelivery[]> {
  const { orgId } = caller
  const at = ctx.clock.now()
  const rows = await reopenDeliveries(tx, orgId, ids, at)
  await ctx.store.jobs.enqueue(tx, 'deliver', jobsOf(ctx, rows))
  const actor = leafActorOf(caller)
  const facts = ({ request_id, kind }: ListedDelivery) => ({ request: request_id, action: kind })
  await appendLeaves(
    ctx,
    tx,
    rows.map((row) => ({ orgId, kind: 'delivery.requeued', subjectId: row.id, actor, at, facts: facts(row) })),
  )
  return rows
}

function jobsOf(ctx: Pick<Ctx, 'keys'>, rows: readonly ListedDelivery[]): NewJob[] {
  const before = new Map<string, number>()
  return rows.map(({ org_id, id, action }) => {
    const destination = destinationOf(openAction(ctx, action))
    const place = before.get(destination) ?? 0
    before.set(destination, place + 1)
    return deliveryJob(org_id, id, destination, { delaySeconds: place / perSecond })
  })
}
