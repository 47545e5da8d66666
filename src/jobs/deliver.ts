import { setTimeout as sleep } from 'node:timers/promises'
import { destinationOf, endpointOf } from '../approvals/enqueue-actions.ts'
import { openAction } from '../approvals/actions.ts'
import type { Ctx } from '../context.ts'
import type { AttemptOutcome, Task } from '../deliveries/attempt.ts'
import { meansFor } from '../deliveries/means.ts'
import { performAttempt } from '../deliveries/perform.ts'
import { findDelivery, releaseDeliveries, type DeliveryRow } from '../store/deliveries.ts'
import type { TakenJob } from '../store/job-queue.ts'
import type { Handler, Hands } from './hands.ts'
import type { DeliveryKey } from './ledger.ts'

const kind = 'deliver'

/** Makes one attempt at one delivery; a later one is a job of its own. */
export const deliver: Handler = {
  concurrency: ({ config }) => config.delivery.concurrency,
  // A destination that does not answer may not take the room of the others, nor what asks a path of it that hangs that of the rest.
  concurrencyOfGroup: ({ config }) => Math.ceil((config.delivery.concurrency * 3) / 8),
  async run(ctx, hands, job) {
    const key = job.data as DeliveryKey
    const row = await hands.ledger.take(key)
    if (row === undefined) return await leave(ctx, job, key)
    await hands.ledger.settle({ job, row, outcome: await attempt(ctx, hands, row) })
  },
  release: (ctx, hands) => releaseDeliveries(ctx.db, hands.worker),
}

/** Nothing to send: it is done or gone, or another worker may be about it, and then the job has to stay until that shows. */
async function leave(ctx: Ctx, job: TakenJob, { orgId, id }: DeliveryKey): Promise<void> {
  const row = await findDelivery(ctx.db, orgId, id)
  if (row?.status === 'pending') await ctx.store.jobs.giveBack(kind, job)
  else await ctx.store.jobs.finish(ctx.db, kind, job)
}

async function attempt(ctx: Ctx, { patience }: Hands, row: DeliveryRow): Promise<AttemptOutcome> {
  const task = taskOf(ctx, row)
  const endpoint = `${row.org_id} ${endpointOf(task.action)}`
  if (!patience.allows(endpoint, performance.now())) {
    const reason = `${destinationOf(task.action)} has not answered in time lately; no attempt was made.`
    return { kind: 'failed', reason, isTransient: true, response: null }
  }
  const means = await meansFor(ctx, row.org_id, task.action)
  await sleep(patience.turn(endpoint, performance.now()))
  const started = performance.now()
  const outcome = await performAttempt(means, task)
  const ended = performance.now()
  const failed = outcome.kind === 'failed'
  patience.learn(endpoint, { failed, milliseconds: ended - started }, ended)
  return outcome
}

function taskOf(ctx: Ctx, row: DeliveryRow): Task {
  return {
    id: row.id,
    action: openAction(ctx, row.action),
    occurrence: {
      orgId: row.org_id,
      requestId: row.request_id,
      requestName: row.request_name,
      from: row.from_status,
      to: row.to_status,
      occurredAt: row.occurred_at,
      isTest: false,
    },
  }
}
