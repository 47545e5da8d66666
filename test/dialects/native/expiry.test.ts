import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expireRequests } from '../../../src/approvals/expire-requests.ts'
import { startDeadlines } from '../../../src/jobs/deadlines.ts'
import { runDueJobs } from '../../../src/jobs/worker.ts'
import { delivered, deliveriesOf } from '../../helpers/delivered.ts'
import { freshDatabase } from '../../helpers/fresh-database.ts'
import { startHttpSink, type HttpSink } from '../../helpers/http-sink.ts'
import { expectRefusal, templates } from '../../helpers/templates.ts'
import { startWorkflowWorld, workflows, type WorkflowWorld } from '../../helpers/workflows.ts'
import { startWorld } from '../../helpers/world.ts'

let sink: HttpSink
let databaseUrl: string
let world: WorkflowWorld

beforeAll(async () => {
  sink = await startHttpSink()
  databaseUrl = await freshDatabase()
  world = await startWorkflowWorld({ databaseUrl, network: sink.network })
})

afterAll(async () => {
  await world.close()
  await sink[Symbol.asyncDispose]()
})

const hour = 3_600_000
const minute = 60_000
const everyStatus = ['APPROVED', 'REJECTED', 'EXPIRED', 'CANCELED']
const hook = { type: 'WEBHOOK', url: 'https://hooks.example/in', on: everyStatus }
const stances = ['APPROVE', 'VETO', 'WITHDRAW'] as const

const read = async (id: string) => (await world.ben.get(`${workflows}/${id}`)).body
const opened = async (members: object = {}) =>
  await world.opened({ approvalRule: world.rule(1), actions: [hook], ...members })
const toldOf = (id: string) =>
  sink.calls.map(({ body }) => JSON.parse(body)).filter(({ workflowId }) => workflowId === id)

async function stored(id: string): Promise<string> {
  const row = await world.ctx.db.selectFrom('requests').select('status').where('id', '=', id).executeTakeFirstOrThrow()
  return row.status
}

/** Another process on the same database, with a clock of its own. */
const another = async (env = {}) =>
  await startWorld({ databaseUrl, network: sink.network, start: world.clock.now(), env })

describe('the deadline', () => {
  it.each([
    [1, 1],
    [24, 24],
    [8760, 8760],
    [undefined, 30 * 24],
  ])('of a template that says %s hours is %i hours from the opening', async (defaultExpiresInHours, hours) => {
    const { createdAt, expiresAt } = await read(await opened({ defaultExpiresInHours }))
    expect(Date.parse(createdAt)).toBe(world.clock.now().getTime())
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(hours * hour)
  })

  it('is that of the version that the workflow was opened under', async () => {
    const { id, name } = await world.made({ approvalRule: world.rule(2), defaultExpiresInHours: 5 })
    const before = await world.openedUnder(id)
    const { body } = await world.ada.put(`${templates}/${name}`, { defaultExpiresInHours: 7 })
    const after = await world.openedUnder(body.id)
    const life = async (workflow: string) => Date.parse((await read(workflow)).expiresAt) - world.clock.now().getTime()
    expect(await life(before)).toBe(5 * hour)
    expect(await life(after)).toBe(7 * hour)
  })

  it('cannot be set by the caller, neither when it opens nor when it votes', async () => {
    const wishes = { expiresAt: '2099-01-01T00:00:00.000Z', defaultExpiresInHours: 1, expiresInHours: 1, expires_at: 1 }
    const { id: templateId } = await world.made({ approvalRule: world.rule(2), defaultExpiresInHours: 5 })
    const id = await world.openedUnder(templateId, wishes)
    const voteType = { type: 'APPROVE', votedForGroups: [world.guards], ...wishes }
    expect((await world.cleo.post(`${workflows}/${id}/vote`, { voteType, ...wishes })).status).toBe(200)
    expect(Date.parse((await read(id)).expiresAt)).toBe(world.clock.now().getTime() + 5 * hour)
    for (const method of ['put', 'patch'] as const) {
      expectRefusal(await world.ada[method](`${workflows}/${id}`, wishes), 404, 'NOT_FOUND')
    }
  })

  it.each([
    [1, 'EVALUATION_IN_PROGRESS', 0],
    [0, 'EXPIRED', 1],
    [-1, 'EXPIRED', 1],
  ])('%i ms before it the workflow is %s, and the sweep writes %i', async (milliseconds, status, swept) => {
    const id = await opened()
    await world.expiresIn(milliseconds, { id })
    expect(await world.statusOf(id)).toBe(status)
    expect(await expireRequests(world.ctx)).toBe(swept)
    expect(await stored(id)).toBe(swept === 1 ? 'expired' : 'open')
    await world.expiresIn(hour, { id })
  })
})

describe('when the sweep writes it', () => {
  it.each(['open', 'rejected'])('an %s one expires and tells so once, at its deadline', async (from) => {
    const id = await opened()
    if (from === 'rejected') await world.voted(world.cleo, id, 'VETO')
    await world.expiresIn(-hour, { id })
    const deadline = (await read(id)).expiresAt
    await runDueJobs(world.ctx)
    expect(toldOf(id).filter(({ status }) => status === 'EXPIRED')).toEqual([])
    expect(await expireRequests(world.ctx)).toBe(1)
    await delivered(world.ctx, id)
    expect(toldOf(id).at(-1)).toMatchObject({ status: 'EXPIRED', occurredAt: deadline })
    expect(await read(id)).toMatchObject({ status: 'EXPIRED', updatedAt: deadline })

    expect(await expireRequests(world.ctx)).toBe(0)
    await runDueJobs(world.ctx)
    expect(toldOf(id).map(({ status }) => status)).toEqual(from === 'open' ? ['EXPIRED'] : ['REJECTED', 'EXPIRED'])
  })

  it('actions that do not ask for it do not run', async () => {
    const id = await opened({
      actions: [
        { ...hook, on: ['APPROVED', 'REJECTED', 'CANCELED'] },
        { ...hook, on: undefined },
      ],
    })
    await world.expiresIn(0, { id })
    await expireRequests(world.ctx)
    expect(await deliveriesOf(world.ctx, id)).toEqual([])
  })

  it('what was decided in time stays decided', async () => {
    const [approved, canceled, final] = [await opened(), await opened(), await opened({ options: { veto: 'final' } })]
    await world.voted(world.cleo, approved, 'APPROVE')
    await world.ada.post(`/v1/workflows/${canceled}/cancel`)
    await world.voted(world.cleo, final, 'VETO')
    for (const id of [approved, canceled, final]) await world.expiresIn(-1, { id })
    expect(await expireRequests(world.ctx)).toBe(0)
    for (const [id, status] of [
      [approved, 'APPROVED'],
      [canceled, 'CANCELED'],
      [final, 'REJECTED'],
    ] as const) {
      expect(await world.statusOf(id)).toBe(status)
    }
  })

  it('a template that cannot be read keeps no other from it', async () => {
    const [broken, other] = [await opened(), await opened()]
    const policyId = (await read(broken)).workflowTemplateId
    const policies = world.ctx.db.updateTable('policies').where('id', '=', policyId)
    const { actions } = await world.ctx.db
      .selectFrom('policies')
      .select('actions')
      .where('id', '=', policyId)
      .executeTakeFirstOrThrow()
    await policies.set({ actions: Buffer.from('damaged') }).execute()
    await world.expiresIn(-hour, { id: broken })
    await world.expiresIn(-minute, { id: other })
    await expect(expireRequests(world.ctx)).rejects.toThrow(policyId)
    expect([await stored(broken), await stored(other)]).toEqual(['open', 'expired'])
    await policies.set({ actions: Buffer.from(actions) }).execute()
    expect(await expireRequests(world.ctx)).toBe(1)
    expect(await stored(broken)).toBe('expired')
  })

  it('all that is due is written in one run, however much it is', async () => {
    const { id: policyId } = await world.made({ approvalRule: world.rule(1), actions: [hook] })
    await Promise.all(Array.from({ length: 205 }, () => world.openedUnder(policyId)))
    await world.expiresIn(-minute, { policyId })
    expect(await expireRequests(world.ctx)).toBe(205)
    const { count } = await world.ctx.db
      .selectFrom('deliveries as d')
      .innerJoin('requests as r', 'r.id', 'd.request_id')
      .select((row) => row.fn.countAll<string>().as('count'))
      .where('r.policy_id', '=', policyId)
      .executeTakeFirstOrThrow()
    expect(count).toBe('205')
    await runDueJobs(world.ctx)
  })
})

describe('the lever disable_workflow_expiration_sweep', () => {
  it('stops the sweep and the watch for deadlines; votes are refused all the same, and nothing is sent', async () => {
    await using stopped = await another({ QUORATE_LEVERS: 'disable_workflow_expiration_sweep' })
    const id = await opened()
    await world.expiresIn(-1, { id })
    expect(await expireRequests(stopped.ctx)).toBe(0)
    const end = startDeadlines(stopped.ctx)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await end()
    expect(await stored(id)).toBe('open')
    const cleo = await stopped.signedIn(world.cleo.id)
    const before = await world.ctx.db.selectFrom('requests').selectAll().where('id', '=', id).execute()
    for (const type of stances) {
      const voteType = { type, ...(type === 'APPROVE' && { votedForGroups: [world.guards] }) }
      expectRefusal(await cleo.post(`${workflows}/${id}/vote`, { voteType }), 422, 'WORKFLOW_EXPIRED')
    }
    expect((await cleo.get(`${workflows}/${id}/canVote`)).body).toMatchObject({
      canVote: false,
      cantVoteReason: 'WORKFLOW_EXPIRED',
    })
    expectRefusal(
      await (await stopped.signedIn(world.ada.id)).post(`/v1/workflows/${id}/cancel`),
      422,
      'WORKFLOW_EXPIRED',
    )
    expect((await cleo.get(`${workflows}/${id}`)).body.status).toBe('EXPIRED')
    expect(await world.ctx.db.selectFrom('requests').selectAll().where('id', '=', id).execute()).toEqual(before)
    expect(await deliveriesOf(world.ctx, id)).toEqual([])
    expect(await expireRequests(world.ctx)).toBe(1)
  })
})

describe('an expiry is written once', () => {
  it('with two sweepers at the same moment', async () => {
    await using other = await another()
    for (let round = 0; round < 5; round++) {
      const { id: policyId } = await world.made({ approvalRule: world.rule(1), actions: [hook] })
      const ids = await Promise.all(Array.from({ length: 20 }, () => world.openedUnder(policyId)))
      await world.expiresIn(-1, { policyId })
      const swept = await Promise.all([world.ctx, other.ctx, world.ctx, other.ctx].map((ctx) => expireRequests(ctx)))
      expect(swept.reduce((sum, count) => sum + count)).toBe(20)
      await Promise.all([runDueJobs(world.ctx), runDueJobs(other.ctx)])
      for (const id of ids) {
        await delivered(world.ctx, id)
        expect(toldOf(id)).toMatchObject([{ status: 'EXPIRED' }])
        const leaves = world.ctx.db.selectFrom('audit_leaves').select('kind').where('subject_id', '=', id)
        expect((await leaves.execute()).map(({ kind }) => kind).toSorted()).toEqual([
          'request.created',
          'request.expired',
        ])
      }
    }
  })

  it('and after a restart: what nobody wrote is written, and what was written is sent', async () => {
    const url = await freshDatabase()
    const [unwritten, unsent] = await (async () => {
      await using before = await startWorkflowWorld({ databaseUrl: url, network: sink.network })
      const made = async () => await before.opened({ approvalRule: before.rule(1), actions: [hook] })
      const ids = [await made(), await made()] as const
      await before.expiresIn(-1, { id: ids[1] })
      expect(await expireRequests(before.ctx)).toBe(1)
      await before.expiresIn(minute, { id: ids[0] })
      return ids
    })()
    expect([...toldOf(unwritten), ...toldOf(unsent)]).toEqual([])
    await using after = await startWorld({ databaseUrl: url, network: sink.network })
    after.clock.advance(hour)
    expect(await expireRequests(after.ctx)).toBe(1)
    for (const id of [unwritten, unsent]) {
      await delivered(after.ctx, id)
      expect(toldOf(id)).toMatchObject([{ status: 'EXPIRED' }])
    }
  })
})

describe('a clock that steps', () => {
  it('back, after the expiry was written: it stays, and is not told again', async () => {
    const id = await opened()
    await world.expiresIn(-1, { id })
    await expireRequests(world.ctx)
    await using behind = await another()
    behind.clock.advance(-30 * minute)
    const cleo = await behind.signedIn(world.cleo.id)
    expect((await cleo.get(`${workflows}/${id}`)).body.status).toBe('EXPIRED')
    expectRefusal(await cleo.post(`${workflows}/${id}/vote`, { voteType: { type: 'VETO' } }), 422, 'WORKFLOW_EXPIRED')
    for (const ctx of [behind.ctx, world.ctx]) expect(await expireRequests(ctx)).toBe(0)
    await delivered(world.ctx, id)
    expect(toldOf(id)).toHaveLength(1)
  })

  it('back, before it was written: it is not written until the clock has come there again', async () => {
    const id = await opened()
    await world.expiresIn(minute, { id })
    const { expiresAt } = await read(id)
    await using stepping = await another()
    stepping.clock.advance(-10 * minute)
    expect(await expireRequests(stepping.ctx)).toBe(0)
    stepping.clock.advance(11 * minute)
    expect(await expireRequests(stepping.ctx)).toBe(1)
    expect(await read(id)).toMatchObject({ status: 'EXPIRED', updatedAt: expiresAt })
  })

  it('far ahead: each expires once, at its own deadline, and what was approved in time is approved', async () => {
    const ids = [await opened(), await opened(), await opened()]
    for (const [index, id] of ids.entries()) await world.expiresIn((index + 1) * minute, { id })
    const approved = String(ids[1])
    await world.voted(world.cleo, approved, 'APPROVE')
    const deadlines = await Promise.all(ids.map(async (id) => (await read(id)).expiresAt))
    await using ahead = await another()
    ahead.clock.advance(400 * 24 * hour)
    expect(await expireRequests(ahead.ctx)).toBeGreaterThanOrEqual(2)
    for (const [index, id] of ids.entries()) {
      await delivered(world.ctx, id)
      if (id === approved) expect(toldOf(id)).toMatchObject([{ status: 'APPROVED' }])
      else expect(toldOf(id)).toMatchObject([{ status: 'EXPIRED', occurredAt: deadlines[index] }])
    }
  })
})

describe('deadlines that are watched', () => {
  it('are written as they come due, without anyone asking', async () => {
    await using watched = await another()
    const [soon, later] = [await opened(), await opened()]
    await world.expiresIn(250, { id: soon })
    await world.expiresIn(minute, { id: later })
    const end = startDeadlines(watched.ctx)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await stored(soon)).toBe('open')
    watched.clock.advance(250)
    await expect.poll(() => stored(soon)).toBe('expired')
    expect(await stored(later)).toBe('open')
    await end()
  })

  it('are written at once when the watch begins too late', async () => {
    const id = await opened()
    await world.expiresIn(-hour, { id })
    const end = startDeadlines(world.ctx)
    await expect.poll(() => stored(id)).toBe('expired')
    await end()
  })
})
