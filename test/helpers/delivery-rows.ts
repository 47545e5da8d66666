import { sql } from 'kysely'
import { sealAction, type Action } from '../../src/approvals/actions.ts'
import type { Ctx } from '../../src/context.ts'
import type { NewRow } from '../../src/store/schema.ts'
import { orgId } from './quorum.ts'

export interface DeliverySeed extends Partial<Omit<NewRow<'deliveries'>, 'action' | 'response'>> {
  readonly action?: Action
  readonly response?: object | null
}

const plainHook: Action = { type: 'WEBHOOK', url: 'https://hooks.example/in', method: 'POST' }

/** A webhook that is still to be sent, with what the seed says otherwise; gives its id. No job goes with it. */
export async function insertDelivery(ctx: Ctx, seed: DeliverySeed = {}): Promise<string> {
  const { action = plainHook, response = null, ...columns } = seed
  const [id, at] = [ctx.newId(), ctx.clock.now()]
  await ctx.db
    .insertInto('deliveries')
    .values({
      org_id: orgId,
      id,
      request_id: ctx.newId(),
      request_name: 'release-2-1',
      from_status: 'open',
      to_status: 'approved',
      occurred_at: at,
      kind: action.type,
      action: sealAction(ctx, action),
      status: 'pending',
      created_at: at,
      updated_at: at,
      response: response === null ? null : JSON.stringify(response),
      ...columns,
    })
    .execute()
  return columns.id ?? id
}

export interface WaitingJob {
  readonly id: string
  /** Seconds until it is due. */
  readonly delay: number
}

/** The jobs that wait to make these deliveries, the first to be due first. */
export async function waitingJobs(ctx: Ctx, deliveryIds: readonly string[]): Promise<WaitingJob[]> {
  const { rows } = await sql<WaitingJob>`
    select data ->> 'id' as id, round(extract(epoch from start_after - created_on)::numeric, 3)::float8 as delay
    from jobs.job where name = 'deliver' and state = 'created' and data ->> 'id' = any(${[...deliveryIds]}::text[])
    order by start_after`.execute(ctx.db)
  return rows
}
