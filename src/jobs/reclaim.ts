import type { Ctx } from '../context.ts'
import { giveUpDeliveries, releaseAllDeliveries } from '../store/deliveries.ts'
import { transact } from '../store/unit-of-work.ts'

/** Hands on the jobs of workers that died, and ends the deliveries that too many died of. */
export async function reclaim(ctx: Ctx): Promise<void> {
  await ctx.store.jobs.reclaim()
  // Together: a delivery whose job is gone and that is not ended would be pending for ever.
  await transact(ctx, null, async (tx) => {
    const lost = await ctx.store.jobs.takeLost(tx, 'deliver')
    await giveUpDeliveries(tx, lost as { orgId: string; id: string }[], ctx.clock.now())
  })
}

/**
 * Before the first job of this process: the embedded store is open in one process only, so whoever held a job there is
 * gone, and nobody need wait for the end of a lease. On PostgreSQL others may be alive.
 */
export async function takeOver(ctx: Ctx): Promise<void> {
  if (ctx.store.engine !== 'pglite') return
  await ctx.store.jobs.giveBackAll()
  await releaseAllDeliveries(ctx.db)
}
