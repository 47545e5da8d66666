import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expireRequests } from '../src/approvals/expire-requests.ts'
import { createMetrics, type JobDepth } from '../src/metrics.ts'
import { delivered } from './helpers/delivered.ts'
import { insertDelivery } from './helpers/delivery-rows.ts'
import { startHttpSink, type HttpSink, type SinkAnswer } from './helpers/http-sink.ts'
import { deprecated, startWorkflowWorld, type WorkflowWorld } from './helpers/workflows.ts'

let sink: HttpSink
let answer: SinkAnswer
let world: WorkflowWorld

beforeAll(async () => {
  sink = await startHttpSink((response, call) => answer(response, call))
  answer = (response) => response.end()
  world = await startWorkflowWorld({ network: sink.network, env: { QUORATE_DELIVERY_WAIT: '0.01' } })
})
afterAll(async () => {
  await world.close()
  await sink[Symbol.asyncDispose]()
})

/** The value of a series; 0 when there is none. */
async function figure(series: string): Promise<number> {
  const { status, body } = await world.anyone.get('/metrics')
  expect(status).toBe(200)
  const line = (body as string).split('\n').find((each) => each.startsWith(`${series} `))
  return Number(line?.slice(series.length + 1) ?? 0)
}

const figures = async (status: string) => ({
  decisions: await figure(`quorate_decisions_total{status="${status}"}`),
  ended: await figure(`quorate_decision_seconds_count{status="${status}"}`),
  seconds: await figure(`quorate_decision_seconds_sum{status="${status}"}`),
})

/** By how much the figures of a status grow while `act` runs. */
async function growth(status: string, act: () => Promise<unknown>): Promise<object> {
  const before = await figures(status)
  await act()
  const after = await figures(status)
  return {
    decisions: after.decisions - before.decisions,
    ended: after.ended - before.ended,
    seconds: after.seconds - before.seconds,
  }
}

const once = (seconds: number) => ({ decisions: 1, ended: 1, seconds })
const never = { decisions: 0, ended: 0, seconds: 0 }

describe('a decision is counted, with the time since the request was opened', () => {
  /** A workflow that was opened so many milliseconds ago. */
  const openedAgo = async (milliseconds: number, template?: object) => {
    const id = await world.opened(template)
    const at = new Date(world.clock.now().getTime() - milliseconds)
    await world.ctx.db.updateTable('requests').set({ created_at: at }).where('id', '=', id).execute()
    return id
  }

  it('when a vote approves', async () => {
    const id = await openedAgo(90_000)
    expect(await growth('approved', () => world.voted(world.cleo, id, 'APPROVE'))).toEqual(once(90))
  })

  it('and not when a vote decides nothing', async () => {
    const id = await openedAgo(90_000, { approvalRule: world.rule(2) })
    expect(await growth('approved', () => world.voted(world.cleo, id, 'APPROVE'))).toEqual(never)
    expect(await growth('open', async () => {})).toEqual(never)
  })

  it('when a veto is final', async () => {
    const id = await openedAgo(2_000, { options: { veto: 'final' } })
    expect(await growth('rejected', () => world.voted(world.cleo, id, 'VETO'))).toEqual(once(2))
  })

  it('but as no end when a veto can be withdrawn, and again when it is', async () => {
    const id = await openedAgo(2_000)
    const counted = { decisions: 1, ended: 0, seconds: 0 }
    expect(await growth('rejected', () => world.voted(world.cleo, id, 'VETO'))).toEqual(counted)
    expect(await growth('open', () => world.voted(world.cleo, id, 'WITHDRAW'))).toEqual(counted)
  })

  it('when a command cancels', async () => {
    const id = await openedAgo(5_000)
    expect(await growth('canceled', () => world.ada.post(`/v1/workflows/${id}/cancel`))).toEqual(once(5))
  })

  it('when its template is taken out of use', async () => {
    const { id } = await world.made({ approvalRule: world.rule() })
    await world.openedUnder(id)
    await world.openedUnder(id)
    world.clock.advance(3_000)
    expect(await growth('canceled', () => deprecated(world, id, true))).toEqual({ decisions: 2, ended: 2, seconds: 6 })
  })

  it('when its time is up, however late that is written', async () => {
    const id = await openedAgo(10_000)
    await world.expiresIn(1_000, { id })
    world.clock.advance(60_000)
    expect(await growth('expired', () => expireRequests(world.ctx))).toEqual(once(11))
  })

  it('once, however often it is asked for under one Idempotency-Key', async () => {
    const id = await openedAgo(1_000)
    const canceled = await openedAgo(1_000)
    const key = { 'idempotency-key': id }
    const body = { voteType: { type: 'APPROVE', votedForGroups: [world.guards] } }
    const vote = () => world.cleo.post(`/workflows/${id}/vote`, body, key)
    expect(await growth('approved', async () => [await vote(), await vote()])).toEqual(once(1))
    const cancel = () => world.ada.post(`/v1/workflows/${canceled}/cancel`, undefined, key)
    expect(await growth('canceled', async () => [await cancel(), await cancel()])).toEqual(once(1))
  })
})

describe('deliveries are counted by what came of each attempt', () => {
  const attempts = async () =>
    await Promise.all(
      ['completed', 'retried', 'error'].map((outcome) =>
        figure(`quorate_deliveries_total{kind="WEBHOOK",outcome="${outcome}"}`),
      ),
    )
  const grown = async (answered: SinkAnswer) => {
    answer = answered
    const id = await world.opened({ actions: [{ type: 'WEBHOOK', url: 'https://hooks.example/in' }] })
    await world.voted(world.cleo, id, 'APPROVE')
    const before = await attempts()
    await delivered(world.ctx, id)
    return (await attempts()).map((count, index) => count - (before[index] ?? 0))
  }

  it('sent, tried again, and given up', async () => {
    expect(await grown((response) => response.end())).toEqual([1, 0, 0])
    expect(await grown((response) => response.writeHead(503).end())).toEqual([0, 2, 1])
    expect(await grown((response) => response.writeHead(400).end())).toEqual([0, 0, 1])
  })
})

describe('jobs are counted when the figures are read', () => {
  const depth = (count: number): JobDepth => ({ kind: 'deliver', state: 'waiting', count, oldestSeconds: count * 2 })
  const linesOf = async ({ registry }: ReturnType<typeof createMetrics>) =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('quorate_job'))

  it('by kind and state, with since when the oldest is due', async () => {
    await using fresh = await startWorkflowWorld()
    const { ctx } = fresh
    const orgId = '00000000-0000-7000-8000-000000000000'
    const job = async (delaySeconds: number) => ({ data: { orgId, id: await insertDelivery(ctx) }, delaySeconds })
    await ctx.store.jobs.enqueue(ctx.db, 'deliver', [await job(0), await job(-30), await job(100)])
    const lines = (await fresh.anyone.get('/metrics')).body.split('\n') as string[]
    expect(lines).toContain('quorate_jobs{kind="deliver",state="waiting"} 2')
    expect(lines).toContain('quorate_jobs{kind="deliver",state="delayed"} 1')
    expect(lines).toContain('quorate_jobs{kind="cancel-requests",state="running"} 0')
    expect(lines).toContain('quorate_job_oldest_seconds{kind="deliver",state="delayed"} 0')
    // A job cannot have been due before it was made.
    const oldest = lines.find((line) => line.startsWith('quorate_job_oldest_seconds{kind="deliver",state="waiting"}'))
    expect(Number(oldest?.split(' ')[1])).toBeGreaterThan(0)
  })

  it('once for several who read within seconds, and once at a time', async () => {
    let asked = 0
    const metrics = createMetrics(() => Promise.resolve([depth(++asked)]))
    await Promise.all([linesOf(metrics), linesOf(metrics)])
    expect(await linesOf(metrics)).toEqual([
      'quorate_jobs{kind="deliver",state="waiting"} 1',
      'quorate_job_oldest_seconds{kind="deliver",state="waiting"} 2',
    ])
  })

  it('or are absent beside the other figures when the store fails', async () => {
    const metrics = createMetrics(() => Promise.reject(new Error('gone')))
    expect(await linesOf(metrics)).toEqual([])
    expect(await metrics.registry.metrics()).toContain('process_resident_memory_bytes ')
  })

  it('or are absent when the store does not answer within two seconds', async () => {
    const started = performance.now()
    expect(await linesOf(createMetrics(() => new Promise(() => {})))).toEqual([])
    expect(performance.now() - started).toBeLessThan(4_000)
  })
})
