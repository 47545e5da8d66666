import type { Ctx } from '../../src/context.ts'
import type { SentVote } from '../helpers/crowd.ts'
import { countFaults } from '../helpers/history.ts'
import { orgId } from '../helpers/quorum.ts'
import type { Effect } from './receivers.ts'
import type { Rollback } from './rollbacks.ts'

/** A request that one vote was to decide. */
export interface Asked {
  readonly id: string
  /** How many effects its approval has. */
  readonly actions: number
  /** Where the database rolls the decision back; null where it lets it happen. */
  readonly rollback: Rollback | null
  /** Null when nobody knows whether the vote arrived. */
  answer: SentVote | null
}

export interface Fault {
  readonly kind: 'lost' | 'doubled' | 'rolled back' | 'other'
  readonly text: string
}

export interface Audit {
  readonly decisions: number
  readonly faults: readonly Fault[]
  /** Deliveries or jobs that are not done: it is too early for the rest. */
  readonly isPending: boolean
}

/** Holds what is stored and what reached the receivers against each other and against what was answered. */
export async function auditJobs(ctx: Ctx, asked: readonly Asked[], effects: readonly Effect[]): Promise<Audit> {
  const ofOurs = ctx.db.selectFrom('requests').where('org_id', '=', orgId)
  const statuses = new Map((await ofOurs.select(['id', 'status']).execute()).map(({ id, status }) => [id, status]))
  const rows = await ctx.db.selectFrom('deliveries').select(['id', 'request_id', 'status', 'reason']).execute()
  const votes = await ctx.db.selectFrom('votes').select('request_id').execute()
  const depths = await ctx.store.jobs.depths()

  const faults: Fault[] = (await countFaults(ctx)).map((text) => ({ kind: 'other', text }))
  const deliveriesOf = Map.groupBy(rows, (row) => row.request_id)
  const effectsOf = Map.groupBy(effects, (effect) => effect.requestId)
  const voted = new Set(votes.map((vote) => vote.request_id))
  for (const request of asked) {
    const deliveries = deliveriesOf.get(request.id) ?? []
    const reached = new Set((effectsOf.get(request.id) ?? []).map(({ key }) => key))
    const isApproved = statuses.get(request.id) === 'approved'
    faults.push(
      ...decisionFaults(request, isApproved, voted.has(request.id)),
      ...(isApproved ? deliveryFaults(request, deliveries, reached) : undecidedFaults(request, deliveries, reached)),
    )
  }
  const known = new Set(asked.map(({ id }) => id))
  for (const { requestId, key } of effects) {
    if (!known.has(requestId))
      faults.push({ kind: 'other', text: `${key}: about ${requestId}, which nobody asked for` })
  }
  return {
    decisions: asked.filter(({ id }) => statuses.get(id) === 'approved').length,
    faults: [...faults, ...repetitionFaults(effects)],
    isPending: depths.some(({ count }) => count > 0) || rows.some(({ status }) => status === 'pending'),
  }
}

function decisionFaults({ id, rollback, answer }: Asked, isApproved: boolean, isVoted: boolean): Fault[] {
  const faults: Fault[] = []
  const wanted = rollback === null ? 200 : 500
  if (answer !== null && answer.status !== wanted) {
    faults.push({ kind: 'other', text: `request ${id} (${rollback}): answered ${answer.status}` })
  }
  if (answer?.status === 200 && !isApproved)
    faults.push({ kind: 'lost', text: `request ${id}: approved, and it is not` })
  if (isVoted !== isApproved) faults.push({ kind: 'other', text: `request ${id}: half decided` })
  if (rollback !== null && isApproved) {
    faults.push({ kind: 'rolled back', text: `request ${id}: decided in spite of the ${rollback}` })
  }
  return faults
}

type Delivery = { readonly id: string; readonly status: string; readonly reason: string | null }

function deliveryFaults(
  { id, actions }: Asked,
  deliveries: readonly Delivery[],
  reached: ReadonlySet<string>,
): Fault[] {
  const faults: Fault[] = []
  const [rows, ids] = [deliveries.length, new Set(deliveries.map((row) => row.id))]
  if (rows < actions) faults.push({ kind: 'lost', text: `request ${id}: ${rows} of ${actions} deliveries` })
  if (rows > actions) faults.push({ kind: 'doubled', text: `request ${id}: ${rows} deliveries of ${actions} actions` })
  for (const row of deliveries) {
    if (row.status !== 'completed')
      faults.push({ kind: 'lost', text: `delivery ${row.id}: ${row.status}, ${row.reason}` })
    if (!reached.has(row.id)) faults.push({ kind: 'lost', text: `delivery ${row.id}: nothing arrived` })
  }
  for (const key of reached) {
    if (!ids.has(key)) faults.push({ kind: 'doubled', text: `${key}: arrived, and there is no such delivery` })
  }
  return faults
}

function undecidedFaults({ id }: Asked, deliveries: readonly Delivery[], reached: ReadonlySet<string>): Fault[] {
  return [...deliveries.map((row) => `delivery ${row.id}`), ...[...reached].map((key) => `${key} arrived`)].map(
    (what) => ({ kind: 'rolled back', text: `${what}: request ${id} is not decided` }),
  )
}

/** One key says one thing about one request, however often. */
function repetitionFaults(effects: readonly Effect[]): Fault[] {
  return [...Map.groupBy(effects, ({ key }) => key)].flatMap(([key, same]) => {
    const said = new Set(same.map(({ channel, requestId, content }) => `${channel} ${requestId} ${content}`))
    return said.size === 1 ? [] : [{ kind: 'doubled' as const, text: `${key}: says ${said.size} things` }]
  })
}
