import { LRUCache } from 'lru-cache'
import { v5 as uuidv5 } from 'uuid'
import type { Ctx } from '../context.ts'
import type { Status } from '../kernel/request.ts'
import { insertDeliveries } from '../store/deliveries.ts'
import type { NewJob } from '../store/job-queue.ts'
import type { Db } from '../store/open.ts'
import { findPolicyActions } from '../store/policies.ts'
import { openActions, sealAction, type Action, type ActionTrigger } from './actions.ts'

/** A request that came to another status. */
export interface Transition {
  readonly requestId: string
  readonly from: Status
  readonly to: Status
  /** How many votes had been cast: with the statuses it tells this change from every other of the request. */
  readonly seq: number
  readonly occurredAt: Date
}

/** What is to be sent of a change, as the list stood at that moment. */
export type Triggered = readonly { readonly action: Action; readonly place: number }[]

const triggers: Readonly<Record<Status, ActionTrigger | null>> = {
  open: null,
  approved: 'APPROVED',
  rejected: 'REJECTED',
  expired: 'EXPIRED',
  canceled: 'CANCELED',
}

// The actions of a version never change, so remembering them is safe on every process.
const remembered = new LRUCache<string, readonly Action[]>({ max: 1_000 })

/** The actions of a policy version that run when one of its requests comes to a status (contract §3.7). */
export async function triggeredActions(
  ctx: Pick<Ctx, 'keys'>,
  db: Db,
  orgId: string,
  policyId: string,
  to: Status,
): Promise<Triggered> {
  const trigger = triggers[to]
  if (trigger === null) return []
  const actions = await actionsOf(ctx, db, orgId, policyId)
  return actions
    .map((action, place) => ({ action, place }))
    .filter(({ action }) => (action.on ?? ['APPROVED']).includes(trigger))
}

async function actionsOf(ctx: Pick<Ctx, 'keys'>, db: Db, orgId: string, policyId: string): Promise<readonly Action[]> {
  const known = remembered.get(policyId)
  if (known !== undefined) return known
  const sealed = await findPolicyActions(db, orgId, policyId)
  if (sealed === undefined) throw new Error(`policy ${policyId} of a request is missing`)
  const actions = openActions(ctx, sealed)
  remembered.set(policyId, actions)
  return actions
}

/**
 * Writes what is to be sent of changes, in their transaction: it is sent if and only if they happened. Each (event, place of
 * the action) makes one delivery, whose id follows from them, so that writing the same event again adds nothing.
 * @param priority higher ones are sent first
 */
export async function enqueueActions(
  ctx: Pick<Ctx, 'keys' | 'store' | 'clock'>,
  tx: Db,
  orgId: string,
  triggered: Triggered,
  transitions: readonly Transition[],
  priority = 0,
): Promise<void> {
  if (triggered.length === 0 || transitions.length === 0) return
  const sealed = triggered.map(({ action, place }) => ({
    kind: action.type,
    action: sealAction(ctx, action),
    place,
    group: destinationOf(action),
  }))
  const deliveries = transitions.flatMap((transition) => {
    const event = eventId(transition)
    return sealed.map((each) => ({ ...transition, ...each, id: uuidv5(String(each.place), event) }))
  })
  await insertDeliveries(tx, orgId, ctx.clock.now(), deliveries)
  await ctx.store.jobs.enqueue(
    tx,
    'deliver',
    deliveries.map(({ id, group }) => deliveryJob(orgId, id, group, { priority })),
  )
}

/** The job that makes a delivery, at once or after a wait. */
export function deliveryJob(
  orgId: string,
  id: string,
  group: string,
  when: Pick<NewJob, 'delaySeconds' | 'priority'>,
): NewJob {
  return { data: { orgId, id }, group, ...when }
}

/** Who is called: what one of them does to us may not hold up the others. */
export function destinationOf(action: Action): string {
  switch (action.type) {
    case 'EMAIL':
      return 'mail'
    case 'SLACK':
      return new URL(action.webhookUrl).host
    case 'WEBHOOK':
      return new URL(action.url).host
  }
}

/** What exactly is called of them: on one host one path may hang while another answers. Secret as the URL is. */
export function endpointOf(action: Action): string {
  switch (action.type) {
    case 'EMAIL':
      return 'mail'
    case 'SLACK':
      return action.webhookUrl
    case 'WEBHOOK': {
      const { host, pathname } = new URL(action.url)
      return host + pathname
    }
  }
}

const namespace = '6c1f5ae2-5b0e-4c0d-9f0a-7c2d8e4b9a11'

function eventId({ requestId, seq, from, to }: Transition): string {
  return uuidv5(`${requestId}/${seq}/${from}/${to}`, namespace)
}
