import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest'
import { deliveryConfig, deliveryLeaseSeconds } from '../../src/config/delivery.ts'
import { reclaim, takeOver } from '../../src/jobs/reclaim.ts'
import { runDueJobs, startWorker } from '../../src/jobs/worker.ts'
import { lockDeliveries } from '../../src/store/deliveries.ts'
import { startHttpSink, type HttpSink } from '../helpers/http-sink.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'

describe.each(['pglite', 'postgres'] as const)('what a worker on %s had in hand when it died', (engine) => {
  let sink: HttpSink
  let world: WorkflowWorld

  beforeAll(async () => {
    sink = await startHttpSink()
    world = await startWorkflowWorld({ engine, network: sink.network, env: { QUORATE_MAIL_TIMEOUT: '15' } })
  })
  afterAll(async () => {
    await world.close()
    await sink[Symbol.asyncDispose]()
  })

  /** A delivery that a worker has taken, and never ends. */
  async function inDeadHands(): Promise<string> {
    const actions = [{ type: 'WEBHOOK', url: 'https://hooks.example/in' }]
    const request = await world.opened({ approvalRule: world.rule(1), actions })
    await world.voted(world.cleo, request, 'APPROVE')
    const jobs = await world.ctx.store.jobs.take('deliver', 10)
    const [{ id }] = jobs.map(({ data }) => data) as [{ id: string }]
    expect(await lockDeliveries(world.ctx.db, [{ orgId, id }], 'dead', 20)).toMatchObject([{ status: 'pending' }])
    return id
  }

  const setJob = (columns: string) => sql.raw(`update jobs.job set ${columns}`).execute(world.ctx.db)
  const endLeases = async () => {
    await setJob(`started_on = now() - interval '1 hour'`)
    await sql`update deliveries set locked_until = now() where locked_until is not null`.execute(world.ctx.db)
    await sql`update jobs.queue set monitor_on = null, monitor_claim_on = null`.execute(world.ctx.db)
  }
  const deliveryOf = async (id: string) =>
    await world.ctx.db.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  /** What was given back waits a second or two; that is skipped. */
  const runNow = async () => {
    await setJob('start_after = now()')
    return await runDueJobs(world.ctx)
  }

  it('stays with it until its lease ends, and then is sent by another', async () => {
    const id = await inDeadHands()
    await reclaim(world.ctx)
    expect(await runNow()).toBe(0)
    await endLeases()
    await reclaim(world.ctx)
    expect(await runNow()).toBe(1)
    expect(await deliveryOf(id)).toMatchObject({ status: 'completed', attempts: 1, locked_by: null })
  })

  it('is held for as long as the configuration lets an attempt take', async () => {
    await inDeadHands()
    const { rows } = await sql`select expire_seconds from jobs.job where state = 'active'`.execute(world.ctx.db)
    expect(rows).toEqual([{ expire_seconds: 25 }])
    await endLeases()
    await reclaim(world.ctx)
    expect(await runNow()).toBe(1)
  })

  it('is looked for by every process when it starts', async () => {
    const id = await inDeadHands()
    await endLeases()
    // None lives for long enough to look again.
    vi.useFakeTimers({ toFake: ['setInterval'] })
    const worker = startWorker(world.ctx)
    vi.useRealTimers()
    await expect.poll(async () => (await deliveryOf(id)).status, { timeout: 30_000 }).toBe('completed')
    await worker.stop(1_000)
  })

  it('is taken at once by the next process when nobody else can have the store', async () => {
    const id = await inDeadHands()
    await takeOver(world.ctx)
    const taken = engine === 'pglite'
    expect(await runNow()).toBe(taken ? 1 : 0)
    expect(await deliveryOf(id)).toMatchObject(
      taken ? { status: 'completed', locked_by: null } : { status: 'pending', locked_by: 'dead' },
    )
    await endLeases()
    await reclaim(world.ctx)
    await runNow()
  })

  it('can be looked for again after that has failed, and nobody else is held up by it', async () => {
    const id = await inDeadHands()
    await endLeases()
    await sql`alter table jobs.job add constraint no_retries check (state <> 'retry')`.execute(world.ctx.db)
    await expect(reclaim(world.ctx)).rejects.toThrow('no_retries')
    await sql`alter table jobs.job drop constraint no_retries`.execute(world.ctx.db)
    // On as many connections as there can be.
    const asked = Array.from({ length: 25 }, () => sql`select 1 as one`.execute(world.ctx.db))
    expect((await Promise.all(asked)).map(({ rows }) => rows)).toEqual(asked.map(() => [{ one: 1 }]))
    await endLeases()
    await reclaim(world.ctx)
    expect(await runNow()).toBe(1)
    expect(await deliveryOf(id)).toMatchObject({ status: 'completed' })
  })

  it('is given up, and says so, when too many died of it', async () => {
    const id = await inDeadHands()
    await setJob('retry_count = retry_limit')
    await endLeases()
    const calls = sink.calls.length
    // The job is not gone before the delivery says so.
    await sql`alter table deliveries add constraint no_errors check (status <> 'error')`.execute(world.ctx.db)
    await expect(reclaim(world.ctx)).rejects.toThrow('no_errors')
    await sql`alter table deliveries drop constraint no_errors`.execute(world.ctx.db)
    await reclaim(world.ctx)
    expect(await deliveryOf(id)).toMatchObject({
      status: 'error',
      reason: 'The server was lost at it too often.',
      locked_by: null,
    })
    expect(await runNow()).toBe(0)
    expect(sink.calls).toHaveLength(calls)
    expect((await world.ctx.store.jobs.depths()).filter(({ count }) => count > 0)).toEqual([])
  })
})

test.each([
  [{}, 20],
  [{ QUORATE_MAIL_TIMEOUT: '30.5' }, 41],
  [{ QUORATE_WEBHOOK_TIMEOUT: '60', QUORATE_MAIL_TIMEOUT: '30' }, 70],
  [{ QUORATE_WEBHOOK_TIMEOUT: '1', QUORATE_SLACK_TIMEOUT: '2', QUORATE_MAIL_TIMEOUT: '1' }, 12],
])('with %o an attempt is taken to be lost after %d s', (env, seconds) => {
  expect(deliveryLeaseSeconds(deliveryConfig(env))).toBe(seconds)
})
