import { deliveryJob, destinationOf } from '../approvals/enqueue-actions.ts'
import { openAction } from '../approvals/actions.ts'
import type { Ctx } from '../context.ts'
import type { AttemptOutcome, Task } from '../deliveries/attempt.ts'
import { meansFor } from '../deliveries/means.ts'
import { performAttempt } from '../deliveries/perform.ts'
import { waitSeconds } from '../deliveries/retry.ts'
import { findDelivery, lockDelivery, recordAttempt, releaseDeliveries, type DeliveryRow } from '../store/deliveries.ts'
import type { TakenJob } from '../store/job-queue.ts'
import { transact } from '../store/unit-of-work.ts'
import type { Handler, Hands } from './hands.ts'

const kind = 'deliver'

/** Makes one attempt at one delivery; a later one is a job of its own. */
export const deliver: Handler = {
  concurrency: ({ config }) => config.delivery.concurrency,
  // A destination that does not answer may not take the room of the others.
  concurrencyOfGroup: ({ config }) => Math.max(1, Math.ceil(config.delivery.concurrency / 4)),
  async run(ctx, hands, job) {
    const { orgId, id } = job.data as { readonly orgId: string; readonly id: string }
    const row = await lockDelivery(ctx.db, orgId, id, hands.worker, ctx.store.jobs.leaseSeconds[kind])
    if (row === undefined) return await leave(ctx, job, orgId, id)
    await record(ctx, hands, job, row, await attempt(ctx, hands, row))
  },
  release: (ctx, hands) => releaseDeliveries(ctx.db, hands.worker),
}

/** Nothing to send: it is done or gone, or another worker may be about it, and then the job has to stay until that shows. */
async function leave(ctx: Ctx, job: TakenJob, orgId: string, id: string): Promise<void> {
  const row = await findDelivery(ctx.db, orgId, id)
  if (row?.status === 'pending') await ctx.store.jobs.giveBack(kind, job)
  else await ctx.store.jobs.finish(ctx.db, kind, job)
}

async function attempt(ctx: Ctx, { patience }: Hands, row: DeliveryRow): Promise<AttemptOutcome> {
  const task = taskOf(ctx, row)
  const destination = destinationOf(task.action)
  const started = performance.now()
  if (!patience.allows(destination, started)) {
    const reason = `${destination} has not answered in time lately; no attempt was made.`
    return { kind: 'failed', reason, isTransient: true, response: null }
  }
  const outcome = await performAttempt(await meansFor(ctx, row.org_id, task.action), task)
  const ended = performance.now()
  const failed = outcome.kind === 'failed'
  patience.learn(destination, { failed, milliseconds: ended - started }, ended)
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

/** Writes what came of the attempt, the job of the next one where there is one, and the end of this job: all or nothing. */
async function record(ctx: Ctx, hands: Hands, job: TakenJob, row: DeliveryRow, outcome: AttemptOutcome): Promise<void> {
  const { delivery } = ctx.config
  const attempts = row.attempts + 1
  const again = outcome.kind === 'failed' && outcome.isTransient && attempts < delivery.attempts
  const status = outcome.kind === 'sent' ? 'completed' : again ? 'pending' : 'error'
  const reason = outcome.kind === 'failed' ? outcome.reason : null
  await transact(ctx, null, async (tx) => {
    const at = ctx.clock.now()
    const written = await recordAttempt(tx, row, hands.worker, {
      status,
      attempts,
      reason,
      response: outcome.response,
      at,
    })
    await ctx.store.jobs.finish(tx, kind, job)
    // Whoever holds it now has a job of its own.
    if (!written || !again) return
    const wait = waitSeconds(delivery, attempts, Math.random())
    await ctx.store.jobs.enqueue(tx, kind, [deliveryJob(row.org_id, row.id, job.group ?? '', wait)])
  })
  ctx.metrics.deliveries.inc({ kind: row.kind, outcome: again ? 'retried' : status })
}
