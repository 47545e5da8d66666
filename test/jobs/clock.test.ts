import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { retire } from '../../src/approvals/deprecate-policy.ts'
import { expireRequests } from '../../src/approvals/expire-requests.ts'
import { runDueJobs } from '../../src/jobs/worker.ts'
import { lockPolicy } from '../../src/store/policies.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { lockFacts } from '../../src/store/fact-locks.ts'
import { deliveriesOf } from '../helpers/delivered.ts'
import { startHttpSink, type HttpSink } from '../helpers/http-sink.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorkflowWorld, workflows, type WorkflowWorld } from '../helpers/workflows.ts'

const src = join(import.meta.dirname, '..', '..', 'src')
const readsClock = /\bDate\.now\b|new Date\(\s*\)|\bclock\b(?!')|performance\.now|hrtime|Temporal\./

/** Every line of a job, and of what decides and writes for it, that reads a clock, and what it does with it. */
const allowed: Readonly<Record<string, readonly (readonly [line: string, why: string])[]>> = {
  'jobs/deliver.ts': [
    ['const started = performance.now()', 'how long an attempt took'],
    ['const ended = performance.now()', 'how long an attempt took'],
    ['patience.allows(endpoint, performance.now())', 'how long a destination that hangs is let alone'],
    ['patience.turn(endpoint, performance.now())', 'the pace for a destination that has just come back'],
  ],
  'jobs/ledger.ts': [
    ['recordAttempts(tx, worker, ctx.clock.now(), records)', 'when the attempts were, as their rows say'],
  ],
  'jobs/cancel-requests.ts': [
    ['const began = performance.now()', 'how long the batch took'],
    ['performance.now() - began', 'a rest as long as the batch took'],
  ],
  'jobs/reclaim.ts': [['ctx.clock.now())', 'when a delivery was given up, as its row says']],
  'jobs/due-rounds.ts': [
    ['next.getTime() - ctx.clock.now().getTime()', 'when to look again; what is due who does it says'],
  ],
  'jobs/sealing.ts': [
    ['const begun = performance.now()', 'how long a round took'],
    ['performance.now() - begun', 'a pause as long as the round took'],
  ],
  'jobs/witnessing.ts': [
    ['?? 0) <= performance.now()', 'how long a witness that refused is let alone'],
    ['performance.now() + refusedMilliseconds', 'how long a witness that refused is let alone'],
  ],
  'deliveries/means.ts': [['now: () => ctx.clock.now()', 'the time of sending that a message names']],
  'approvals/enqueue-actions.ts': [
    ['insertDeliveries(tx, orgId, ctx.clock.now(), deliveries)', 'when the row was made'],
  ],
}

describe('no job decides by a clock', () => {
  const files = [
    ...readdirSync(join(src, 'jobs')).map((file) => `jobs/${file}`),
    'approvals/cancel-requests.ts',
    'approvals/enqueue-actions.ts',
    'deliveries/means.ts',
    'deliveries/perform.ts',
    'deliveries/retry.ts',
  ]

  it.each(files)('%s reads none but for what is listed', (file) => {
    const lines = readFileSync(join(src, file), 'utf8').split('\n')
    const code = lines.map((line) => line.trim()).filter((line) => !/^(\*|\/\/|\/\*)/.test(line))
    const found = code.filter((line) => readsClock.test(line))
    const reasons = (allowed[file] ?? []).map(([line]) => line)
    expect(found.filter((line) => !reasons.some((reason) => line.includes(reason)))).toEqual([])
    expect(found).toHaveLength(reasons.length)
  })

  it('knows a reading when it sees one', () => {
    for (const line of ['Date.now()', 'new Date()', 'new Date( )', 'ctx.clock.now()', 'const { clock } = ctx']) {
      expect(line).toMatch(readsClock)
    }
    for (const line of ['new Date(cancellation.at)', "event: { kind: 'clock' }", "ctx: Pick<Ctx, 'clock' | 'db'>"]) {
      expect(line).not.toMatch(readsClock)
    }
  })
})

let sink: HttpSink
let world: WorkflowWorld
const start = new Date('2026-11-21T12:00:00.000Z').getTime()
const minute = 60_000
const hour = 60 * minute
const shifts = [-hour, 0, hour]

beforeAll(async () => {
  sink = await startHttpSink()
  world = await startWorkflowWorld({ network: sink.network })
})

afterAll(async () => {
  await world.close()
  await sink[Symbol.asyncDispose]()
})

const actions = [
  { type: 'WEBHOOK', url: 'https://hooks.example/in', on: ['APPROVED', 'REJECTED', 'EXPIRED', 'CANCELED'] },
]

/** All that a decision leaves behind of a workflow, but for ids. */
async function leftBehind(id: string): Promise<object> {
  const { db } = world.ctx
  const request = await db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const leaves = await db.selectFrom('audit_leaves').selectAll().where('subject_id', '=', id).orderBy('id').execute()
  const deliveries = await deliveriesOf(world.ctx, id)
  return {
    status: request.status,
    updatedAt: request.updated_at,
    leaves: leaves.map(({ kind, created_at, content }) => [kind, created_at, JSON.parse(content).at]),
    // Two of one instant have no order.
    sent: deliveries
      .map(({ from_status, to_status, occurred_at }) => [from_status, to_status, occurred_at])
      .toSorted((one, other) => String(one).localeCompare(String(other))),
  }
}

/** Whether a worker's clock is an hour behind, right, or an hour ahead, what it leaves behind is the same. */
async function expectSameWhateverTheClock(arrangeAndRun: (shift: number) => Promise<object>): Promise<object> {
  const results: object[] = []
  for (const shift of shifts) {
    world.clock.set(new Date(start))
    results.push(await arrangeAndRun(shift))
    world.clock.set(new Date(start))
  }
  expect(results[0]).toEqual(results[1])
  expect(results[2]).toEqual(results[1])
  return results[1] ?? {}
}

describe('a job that runs an hour earlier or later by the clock of its worker', () => {
  it('cancels what was open at the command, and expires what was overdue then', async () => {
    const result = await expectSameWhateverTheClock(async (shift) => {
      const { id: policyId } = await world.made({ approvalRule: world.rule(2), actions })
      const [open, rejected, soon, overdue, approved] = [
        await world.openedUnder(policyId),
        await world.openedUnder(policyId),
        await world.openedUnder(policyId),
        await world.openedUnder(policyId),
        await world.openedUnder(policyId),
      ]
      await world.voted(world.cleo, rejected, 'VETO')
      for (const voter of [world.cleo, world.dan]) await world.voted(voter, approved, 'APPROVE')
      await world.expiresIn(10 * minute, { id: soon })
      await world.expiresIn(-10 * minute, { id: overdue })
      // The command alone, as if the process had ended before it could do the first batch itself.
      await transact(world.ctx, null, async (tx) => {
        await lockFacts(tx, orgId)
        const active = await lockPolicy(tx, orgId, { id: policyId })
        if (active === undefined) throw new Error('no template')
        await retire(world.ctx, tx, { kind: 'system' }, active, true, world.clock.now())
      })
      world.clock.advance(shift)
      await runDueJobs(world.ctx)
      const ids = { open, rejected, soon, overdue, approved }
      const entries = Object.entries(ids).map(async ([name, id]) => [name, await leftBehind(id)] as const)
      return Object.fromEntries(await Promise.all(entries))
    })
    expect(result).toMatchObject({
      open: { status: 'canceled', updatedAt: new Date(start), sent: [['open', 'canceled', new Date(start)]] },
      rejected: { status: 'canceled' },
      soon: { status: 'canceled' },
      overdue: { status: 'expired', sent: [['open', 'expired', new Date(start - 10 * minute)]] },
      approved: { status: 'approved', sent: [['open', 'approved', new Date(start)]] },
    })
  })

  it('tells a receiver the same, but for the time at which it was sent', async () => {
    const result = await expectSameWhateverTheClock(async (shift) => {
      const id = await world.opened({ approvalRule: world.rule(1), actions }, { name: `told-${shift + hour}` })
      await world.voted(world.cleo, id, 'APPROVE')
      world.clock.advance(shift)
      await runDueJobs(world.ctx)
      const [call, ...more] = sink.calls.filter(({ body }) => body.includes(id))
      expect(more).toEqual([])
      expect(Number(call?.headers['webhook-timestamp'])).toBe((start + shift) / 1000)
      const { workflowId, workflowName, ...told } = JSON.parse(call?.body ?? '')
      expect([workflowId, workflowName]).toEqual([id, `told-${shift + hour}`])
      return told
    })
    expect(result).toEqual({ status: 'APPROVED', occurredAt: new Date(start).toISOString() })
  })
})

describe('a sweep', () => {
  it('that comes an hour late leaves what one at the deadline does, and one that comes early leaves all alone', async () => {
    const swept = async (late: number) => {
      world.clock.set(new Date(start))
      const id = await world.opened({ approvalRule: world.rule(1), actions })
      await world.expiresIn(2 * hour, { id })
      const before = await leftBehind(id)
      world.clock.advance(hour)
      await expireRequests(world.ctx)
      expect(await leftBehind(id)).toEqual(before)
      world.clock.advance(hour + late)
      await expireRequests(world.ctx)
      await runDueJobs(world.ctx)
      const ben = await world.signedIn(world.ben.id)
      expect((await ben.get(`${workflows}/${id}`)).body.status).toBe('EXPIRED')
      return await leftBehind(id)
    }
    const [inTime, late] = [await swept(0), await swept(hour)]
    expect(late).toEqual(inTime)
    const deadline = new Date(start + 2 * hour)
    expect(inTime).toMatchObject({ status: 'expired', updatedAt: deadline, sent: [['open', 'expired', deadline]] })
  })
})
