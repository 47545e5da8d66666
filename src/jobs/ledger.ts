import { deliveryJob } from '../approvals/enqueue-actions.ts'
import type { Ctx } from '../context.ts'
import type { AttemptOutcome } from '../deliveries/attempt.ts'
import { waitSeconds } from '../deliveries/retry.ts'
import { lockDeliveries, recordAttempts, type AttemptRecord, type DeliveryRow } from '../store/deliveries.ts'
import type { TakenJob } from '../store/job-queue.ts'
import { transact } from '../store/unit-of-work.ts'
import { gathered } from './gather.ts'

/** A delivery, as the job that makes it names it. */
export interface DeliveryKey {
  readonly orgId: string
  readonly id: string
}

export interface Attempted {
  readonly job: TakenJob
  readonly row: DeliveryRow
  readonly outcome: AttemptOutcome
}

/** The deliveries of one worker, read and written many at a time, over one connection each. */
export interface Ledger {
  /** Takes a delivery for this worker alone; undefined when it is made, gone, or in another's hands. */
  take(key: DeliveryKey): Promise<DeliveryRow | undefined>
  /** Writes what came of an attempt, the job of the next one where there is one, and the end of its job: all or nothing. */
  settle(attempted: Attempted): Promise<void>
}

/** @param waitMilliseconds how long what ended waits for more to be written with it */
export function openLedger(ctx: Ctx, worker: string, waitMilliseconds: number): Ledger {
  return {
    take: gathered(async (keys) => {
      const rows = await lockDeliveries(ctx.db, keys, worker, ctx.store.jobs.leaseSeconds.deliver)
      const byId = new Map(rows.map((row) => [row.id, row]))
      return keys.map(({ id }) => byId.get(id))
    }, 0),
    settle: gathered(async (batch) => await settleAll(ctx, worker, batch), waitMilliseconds),
  }
}

async function settleAll(ctx: Ctx, worker: string, batch: readonly Attempted[]): Promise<undefined[]> {
  const records = batch.map((attempted) => ({ ...attempted, ...recordOf(ctx, attempted) }))
  await transact(ctx, null, async (tx) => {
    const written = new Set(await recordAttempts(tx, worker, ctx.clock.now(), records))
    await ctx.store.jobs.finishAll(
      tx,
      'deliver',
      batch.map(({ job }) => job),
    )
    // Whoever holds one that was not written has a job of its own.
    const again = records.filter(({ status, row }) => status === 'pending' && written.has(row.id))
    const jobs = again.map(({ job, row, attempts }) => {
      const wait = waitSeconds(ctx.config.delivery, attempts, Math.random())
      return deliveryJob(row.org_id, row.id, job.group ?? '', { delaySeconds: wait, priority: job.priority })
    })
    await ctx.store.jobs.enqueue(tx, 'deliver', jobs)
  })
  for (const { row, status } of records) {
    ctx.metrics.deliveries.inc({ kind: row.kind, outcome: status === 'pending' ? 'retried' : status })
  }
  return batch.map(() => undefined)
}

function recordOf({ config }: Ctx, { row, outcome }: Attempted): AttemptRecord {
  const attempts = row.attempts + 1
  const { response } = outcome
  if (outcome.kind === 'sent') return { status: 'completed', attempts, reason: null, response }
  const isAgain = outcome.isTransient && attempts < config.delivery.attempts
  return { status: isAgain ? 'pending' : 'error', attempts, reason: outcome.reason, response }
}
