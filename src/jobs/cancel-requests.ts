import { announceClosed, cancelBatch, type Cancellation } from '../approvals/cancel-requests.ts'
import { transact } from '../store/unit-of-work.ts'
import type { Handler } from './hands.ts'

const kind = 'cancel-requests'

/** After a batch the machine is left to the votes for so many times as long as it took: nobody waits for the last of many. */
const restsPerBatch = 10
const maxRestMilliseconds = 1_000

/**
 * Cancels the requests of a version, a batch a job: the batch, the job for the next one and the end of this one are one
 * transaction, so that it goes on where it was however often it is interrupted.
 */
export const cancelRequests: Handler = {
  concurrency: () => 2,
  concurrencyOfGroup: () => 2,
  isChained: true,
  async run(ctx, hands, job) {
    const began = performance.now()
    const cancellation = job.data as Cancellation
    const closed = await transact(ctx, null, async (tx) => {
      // First, so that of two workers that both believe to have it one waits here and finds nothing left to do.
      if (!(await ctx.store.jobs.finish(tx, kind, job))) return []
      const batch = await cancelBatch(ctx, tx, cancellation)
      if (batch.next !== null) await ctx.store.jobs.enqueue(tx, kind, [{ data: batch.next }])
      return batch.closed
    })
    announceClosed(ctx, cancellation.orgId, closed)
    await hands.rest(Math.min(maxRestMilliseconds, restsPerBatch * (performance.now() - began)))
  },
}
