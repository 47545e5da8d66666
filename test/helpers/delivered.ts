import { openAction, type Action } from '../../src/approvals/actions.ts'
import type { Ctx } from '../../src/context.ts'
import { runDueJobs } from '../../src/jobs/worker.ts'
import type { DeliveryRow } from '../../src/store/deliveries.ts'

export type Delivery = Omit<DeliveryRow, 'action'> & { readonly action: Action }

/** What is to be sent of a workflow, or was, with the actions opened, in the order in which it happened. */
export async function deliveriesOf({ db, keys }: Pick<Ctx, 'db' | 'keys'>, workflowId: string): Promise<Delivery[]> {
  const rows = await db
    .selectFrom('deliveries')
    .selectAll()
    .where('request_id', '=', workflowId)
    .orderBy('occurred_at')
    .orderBy('id')
    .execute()
  return rows.map((row) => ({ ...row, action: openAction({ keys }, row.action) }))
}

/** Runs jobs, those too that wait for another attempt, until nothing of a workflow is left to be sent. */
export async function delivered(ctx: Ctx, workflowId: string): Promise<Delivery[]> {
  for (;;) {
    await runDueJobs(ctx)
    const deliveries = await deliveriesOf(ctx, workflowId)
    if (deliveries.every(({ status }) => status !== 'pending')) return deliveries
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
