import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { runDueJobs, startWorker } from '../../src/jobs/worker.ts'
import { createPatience } from '../../src/jobs/patience.ts'
import { orgId } from '../helpers/quorum.ts'
import { startHttpSink, type HttpSink } from '../helpers/http-sink.ts'
import { templates } from '../helpers/templates.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'

// Whom a worker calls is told by name and port.
const [hanging, good, busy, many, one, together] = [1, 2, 3, 4, 5, 6].map((port) => `hooks.example:${port}`) as [
  string,
  string,
  string,
  string,
  string,
  string,
]
let sink: HttpSink
let world: WorkflowWorld
let held: ServerResponse[] = []

beforeAll(async () => {
  sink = await startHttpSink((response) => {
    if (response.req.headers.host === hanging) held.push(response)
    else response.end()
  })
  // Two attempts at a time at one destination.
  world = await startWorkflowWorld({ network: sink.network, env: { QUORATE_DELIVERY_CONCURRENCY: '5' } })
})

afterAll(async () => {
  await world.close()
  await sink[Symbol.asyncDispose]()
})

/** So many workflows are opened under one template that tells this host of every decision. */
async function openedFor(host: string, count: number): Promise<{ templateId: string; ids: string[] }> {
  const hook = { type: 'WEBHOOK', url: `https://${host}/in`, method: 'POST', on: ['APPROVED', 'CANCELED'] }
  const { id: templateId } = await world.made({ approvalRule: world.rule(1), actions: [hook] })
  const ids = await Promise.all(Array.from({ length: count }, () => world.openedUnder(templateId)))
  return { templateId, ids }
}

async function approved(ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => world.voted(world.cleo, id, 'APPROVE')))
}

const reasonsOf = async (requestId: string) => {
  const { ctx } = world
  const rows = await ctx.db.selectFrom('deliveries').select('reason').where('request_id', '=', requestId).execute()
  return rows.map(({ reason }) => reason).join()
}

const heardBy = (host: string) => sink.calls.filter(({ headers }) => headers.host === host)

describe('a worker', () => {
  it('makes two of five attempts at a destination that hangs, and all of the others meanwhile', async () => {
    await approved((await openedFor(hanging, 12)).ids)
    await approved((await openedFor(good, 12)).ids)
    const worker = startWorker(world.ctx)
    await vi.waitFor(() => expect(heardBy(good)).toHaveLength(12), 10_000)
    await sleep(600)
    expect(held).toHaveLength(2)
    for (; held.length > 0; await sleep(20)) {
      expect(held.length).toBeLessThanOrEqual(2)
      for (const response of held.splice(0)) response.end()
      await vi.waitFor(() => expect(held.length > 0 || heardBy(hanging).length === 12).toBe(true), 5_000)
    }
    await worker.stop(5_000)
    expect(heardBy(hanging)).toHaveLength(12)
  })

  it('calls one path of a host while another path hangs', async () => {
    const hook = (path: string) => ({ type: 'WEBHOOK', url: `https://${hanging}/${path}`, method: 'POST' })
    const openedWith = async (path: string, count: number) => {
      const { id } = await world.made({ approvalRule: world.rule(1), actions: [hook(path)] })
      return await Promise.all(Array.from({ length: count }, () => world.openedUnder(id)))
    }
    const patience = createPatience()
    for (let n = 0; n < 9; n++)
      patience.learn(`${orgId} ${hanging}/hang`, { failed: true, milliseconds: 10_000 }, performance.now())
    const [stuck] = await openedWith('hang', 1)
    const [fine] = await openedWith('fine', 1)
    await approved([stuck as string, fine as string])
    const before = sink.calls.length
    const worker = startWorker(world.ctx, patience)
    await vi.waitFor(() => expect(held).toHaveLength(1), 10_000)
    for (const response of held.splice(0)) response.end()
    await vi.waitFor(async () => expect(await reasonsOf(stuck as string)).toMatch(/no attempt was made/), 10_000)
    await worker.stop(5_000)
    expect(sink.calls.slice(before).map(({ url }) => url)).toEqual(['/fine'])
    await world.ctx.db
      .updateTable('deliveries')
      .set({ status: 'error' })
      .where('request_id', '=', stuck as string)
      .execute()
  })

  it('goes on at once where a destination has room again', async () => {
    await approved((await openedFor(busy, 60)).ids)
    const worker = startWorker(world.ctx)
    const began = performance.now()
    await vi.waitFor(() => expect(heardBy(busy)).toHaveLength(60), 20_000)
    await worker.stop(5_000)
    // A look every half second, for two at a time, would take fifteen.
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})

describe('of what is due', () => {
  it('the decision of a vote is told before the cancellations that came before it', async () => {
    const { templateId } = await openedFor(many, 15)
    const answer = await world.ada.post(`${templates}/${templateId}/deprecate`, { cancelWorkflows: true })
    expect(answer).toMatchObject({ status: 200 })
    await approved((await openedFor(one, 1)).ids)
    const before = sink.calls.length
    await runDueJobs(world.ctx)
    const hosts = sink.calls.slice(before).map(({ headers }) => headers.host)
    expect(hosts).toEqual([one, ...Array.from({ length: 15 }, () => many)])
  })
})

it('of deliveries that are written together one that cannot be keeps no other from it', async () => {
  const [broken, ...others] = (await openedFor(together, 4)).ids as [string, ...string[]]
  await approved([broken, ...others])
  // What PostgreSQL refuses to keep.
  const unkept = world.ctx.db.updateTable('deliveries').set({ attempts: 2_147_483_647 })
  await unkept.where('request_id', '=', broken).execute()
  const worker = startWorker(world.ctx)
  const statuses = async () => {
    const rows = await world.ctx.db
      .selectFrom('deliveries')
      .select(['request_id', 'status'])
      .where('request_id', 'in', [broken, ...others])
      .execute()
    return new Map(rows.map((row) => [row.request_id, row.status]))
  }
  await vi.waitFor(async () => {
    const now = await statuses()
    expect(others.map((id) => now.get(id))).toEqual(['completed', 'completed', 'completed'])
  }, 10_000)
  expect((await statuses()).get(broken)).toBe('pending')
  await worker.stop(5_000)
})
