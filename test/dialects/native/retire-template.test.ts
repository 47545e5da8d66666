import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runDueJobs } from '../../../src/jobs/worker.ts'
import { expireRequests } from '../../../src/approvals/expire-requests.ts'
import { transact } from '../../../src/store/unit-of-work.ts'
import { lockFacts } from '../../../src/store/fact-locks.ts'
import { giveRole, insertSpace, orgId } from '../../helpers/quorum.ts'
import { untilWaiting } from '../../helpers/lock-waits.ts'
import { insertQuota } from '../../helpers/rows.ts'
import { expectRefusal, startTemplateWorld, templates, type TemplateWorld } from '../../helpers/templates.ts'
import type { Answer } from '../../helpers/world.ts'

let world: TemplateWorld

async function start(engine: 'postgres' | 'pglite'): Promise<void> {
  world = await startTemplateWorld({ engine })
  for (const { id } of [world.ada, world.ben]) await giveRole(world.ctx, id, 'OrgWideWorkflowTemplateVoter')
}

let serial = 0
async function opened(workflowTemplateId: string): Promise<string> {
  const { status, headers } = await world.ada.post('/workflows', { name: `w-${++serial}`, workflowTemplateId })
  expect(status).toBe(201)
  return String(headers['location']).split('/').at(-1) as string
}

const approve = () => ({ voteType: { type: 'APPROVE', votedForGroups: [world.security] } })
const one = () => ({ approvalRule: { type: 'GROUP_REQUIREMENT', groupId: world.security, minCount: 1 } })
const vote = async (id: string, body: object = approve()) => await world.ben.post(`/workflows/${id}/vote`, body)
const template = async (key: string) => (await world.ada.get(`${templates}/${key}`)).body
const deprecate = async (key: string, body: object = {}) => await world.ada.post(`${templates}/${key}/deprecate`, body)
const statusOf = async (id: string) => (await world.ada.get(`/workflows/${id}`)).body.status
const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b)

async function expireNow(id: string): Promise<void> {
  const overdue = { expires_at: world.clock.now() }
  await world.ctx.db.updateTable('requests').set(overdue).where('id', '=', id).execute()
}

/** What the lists count, next to what there is. */
async function expectCountsToAgree(policyId: string): Promise<void> {
  const { db } = world.ctx
  const counted = await db
    .selectFrom('request_counts')
    .select((row) => ['is_final', row.fn.sum('difference').as('count')])
    .where('policy_id', '=', policyId)
    .groupBy('is_final')
    .execute()
  const real = await db
    .selectFrom('requests')
    .select((row) => ['is_final', row.fn.countAll().as('count')])
    .where('policy_id', '=', policyId)
    .groupBy('is_final')
    .execute()
  const figures = (rows: readonly { is_final: boolean; count: unknown }[]) =>
    rows
      .map(({ is_final, count }) => `${is_final} ${String(count)}`)
      .filter((line) => !line.endsWith(' 0'))
      .toSorted()
  expect(figures(counted)).toEqual(figures(real))
}

async function leaves(
  id: string,
): Promise<{ kind: string; facts: Record<string, unknown>; actor: { kind: string } }[]> {
  const rows = await world.ctx.db
    .selectFrom('audit_leaves')
    .select('content')
    .where('subject_id', '=', id)
    .orderBy('id')
    .execute()
  return rows.map(({ content }) => JSON.parse(content))
}
const leafKinds = async (id: string) => (await leaves(id)).map(({ kind }) => kind)

describe.each(['pglite', 'postgres'] as const)('a template going out of use, on %s', (engine) => {
  beforeAll(async () => await start(engine))
  afterAll(() => world.close())

  it('keeps its open workflows, which can be voted on, and is DEPRECATED when the last one is approved', async () => {
    const { id } = await world.made(one())
    const workflows = [await opened(id), await opened(id)]
    expect((await deprecate(id)).body).toMatchObject({
      status: 'PENDING_DEPRECATION',
      allowVotingOnDeprecatedTemplate: true,
    })
    for (const workflow of workflows) {
      expect((await template(id)).status).toBe('PENDING_DEPRECATION')
      expect(await vote(workflow)).toMatchObject({ status: 200, body: { workflowStatus: 'APPROVED' } })
    }
    expect((await template(id)).status).toBe('DEPRECATED')
    expect((await leafKinds(id)).at(-1)).toBe('template.closed')
    const refused = await world.ada.post('/workflows', { name: 'late', workflowTemplateId: id })
    expectRefusal(refused, 400, 'WORKFLOW_TEMPLATE_NOT_ACTIVE', 'workflowTemplateId')
  })

  it('is DEPRECATED when its last workflow is canceled by hand, or expires', async () => {
    const [canceled, expired] = [await world.made(one()), await world.made({ ...one(), defaultExpiresInHours: 1 })]
    const [first, second] = [await opened(canceled.id), await opened(expired.id)]
    await deprecate(canceled.id)
    await world.ada.put(`${templates}/${expired.name}`, {})
    await world.ada.post(`/v1/workflows/${first}/cancel`)
    expect((await template(canceled.id)).status).toBe('DEPRECATED')
    expect((await template(expired.id)).status).toBe('PENDING_DEPRECATION')
    await expireNow(second)
    await expireRequests(world.ctx)
    expect(await statusOf(second)).toBe('EXPIRED')
    expect((await template(expired.id)).status).toBe('DEPRECATED')
  })

  it.each(['deprecate', 'PUT'])('with cancelWorkflows cancels what is not terminal (%s)', async (how) => {
    const { id, name } = await world.made({ ...one(), defaultExpiresInHours: 2 })
    const [open, rejected, approved, withdrawn] = await Promise.all([1, 2, 3, 4].map(() => opened(id)))
    const overdue = await opened(id)
    await expireNow(overdue)
    await vote(String(rejected), { voteType: { type: 'VETO' } })
    await vote(String(approved))
    await vote(String(withdrawn), { voteType: { type: 'WITHDRAW' } })
    const untouched = await opened((await world.made(one())).id)

    const body = { cancelWorkflows: true }
    const answer = how === 'PUT' ? await world.ada.put(`${templates}/${name}`, body) : await deprecate(name, body)
    expect(answer).toMatchObject({
      status: 200,
      body:
        how === 'PUT'
          ? { status: 'ACTIVE', version: '2', allowVotingOnDeprecatedTemplate: true }
          : { status: 'PENDING_DEPRECATION', allowVotingOnDeprecatedTemplate: false },
    })
    expect(await template(id)).toMatchObject({ status: 'DEPRECATED', allowVotingOnDeprecatedTemplate: false })
    for (const [workflow, status] of [
      [open, 'CANCELED'],
      [rejected, 'CANCELED'],
      [withdrawn, 'CANCELED'],
      [approved, 'APPROVED'],
      [overdue, 'EXPIRED'],
      [untouched, 'EVALUATION_IN_PROGRESS'],
    ] as const) {
      expect(await statusOf(String(workflow))).toBe(status)
    }
    expect((await leaves(String(rejected))).at(-1)).toMatchObject({
      kind: 'request.canceled',
      actor: { kind: 'human', id: world.ada.id },
      facts: { policy: id, from: 'rejected', to: 'canceled', seq: 1, stage: 0 },
    })
    expect((await leaves(overdue)).at(-1)).toMatchObject({ kind: 'request.expired', actor: { kind: 'system' } })
    expect(await leafKinds(String(approved))).toEqual(['request.created', 'vote.cast'])
    expectRefusal(await vote(String(open)), 422, 'WORKFLOW_CANCELLED')
    await expectCountsToAgree(id)
  })

  it('with cancelWorkflows leaves the workflows of its other versions alone', async () => {
    const { id, name } = await world.made(one())
    const earlier = await opened(id)
    const second = (await world.ada.put(`${templates}/${name}`, {})).body
    const later = await opened(second.id)
    await deprecate(name, { cancelWorkflows: true })
    expect(await statusOf(later)).toBe('CANCELED')
    expect(await template(second.id)).toMatchObject({ status: 'DEPRECATED' })
    expect(await template(id)).toMatchObject({ status: 'PENDING_DEPRECATION', allowVotingOnDeprecatedTemplate: true })
    expect(await vote(earlier)).toMatchObject({ status: 200, body: { workflowStatus: 'APPROVED' } })
  })

  it('takes its workflows and their votes along when deleted', async () => {
    const { id, name } = await world.made(one())
    const workflow = await opened(id)
    await vote(workflow)
    expect((await world.ada.delete(`${templates}/${name}`)).status).toBe(204)
    expectRefusal(await world.ada.get(`/workflows/${workflow}`), 404, 'WORKFLOW_NOT_FOUND')
    expect(await world.ctx.db.selectFrom('votes').select('seq').where('request_id', '=', workflow).execute()).toEqual(
      [],
    )
    expect(await leafKinds(workflow)).toEqual(['request.created', 'vote.cast'])
  })
})

describe('at the same moment, on PostgreSQL', () => {
  beforeAll(async () => await start('postgres'))
  afterAll(() => world.close())

  it('the two last workflows of a version are approved, and it is DEPRECATED', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await world.made(one())
      const workflows = await Promise.all([opened(id), opened(id), opened(id)])
      await deprecate(id)
      expect(statuses(await Promise.all(workflows.map((workflow) => vote(workflow))))).toEqual([200, 200, 200])
      expect((await template(id)).status).toBe('DEPRECATED')
      expect((await leafKinds(id)).filter((kind) => kind === 'template.closed')).toHaveLength(1)
    }
  })

  it('the last vote is cast and the version goes out of use, and it is DEPRECATED', async () => {
    for (let round = 0; round < 15; round++) {
      const { id } = await world.made(one())
      const workflow = await opened(id)
      const answers = await Promise.all([vote(workflow), deprecate(id)])
      expect(statuses(answers)).toEqual([200, 200])
      expect((await template(id)).status).toBe('DEPRECATED')
    }
  })

  it('workflows are canceled by two people on one version that is out of use', async () => {
    const { id } = await world.made(one())
    const workflows = await Promise.all(Array.from({ length: 8 }, () => opened(id)))
    await deprecate(id)
    const cancel = (workflow: string) => world.ada.post(`/v1/workflows/${workflow}/cancel`)
    expect(new Set(statuses(await Promise.all(workflows.map(cancel))))).toEqual(new Set([200]))
    expect((await template(id)).status).toBe('DEPRECATED')
  })

  it('votes come in and every workflow is canceled: each is settled once, and the counts agree', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, name } = await world.made(one())
      const workflows = await Promise.all(Array.from({ length: 12 }, () => opened(id)))
      const votes = workflows.map((workflow) => vote(workflow))
      const update = world.ada.put(`${templates}/${name}`, { cancelWorkflows: true })
      const [updated, ...voted] = await Promise.all([update, ...votes])
      expect(updated.status).toBe(200)
      for (const [index, answer] of voted.entries()) {
        expect([200, 422]).toContain(answer.status)
        expect(await statusOf(String(workflows[index]))).toBe(answer.status === 200 ? 'APPROVED' : 'CANCELED')
      }
      expect((await template(id)).status).toBe('DEPRECATED')
      await expectCountsToAgree(id)
    }
  })

  it('workflows are opened and every workflow is canceled: none stays open behind it', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, name } = await world.made(one())
      const open = (index: number) =>
        world.ada.post('/workflows', { name: `race-${round}-${index}`, workflowTemplateId: id })
      const opening = Array.from({ length: 12 }, (_, index) => open(index))
      const answers = await Promise.all([deprecate(name, { cancelWorkflows: true }), ...opening])
      expect(answers[0]?.status).toBe(200)
      for (const { status, body } of answers.slice(1)) {
        if (status !== 201) expect(body).toMatchObject({ code: 'WORKFLOW_TEMPLATE_NOT_ACTIVE' })
      }
      const left = world.ctx.db.selectFrom('requests').select(['status', 'is_final']).where('policy_id', '=', id)
      for (const row of await left.execute()) expect(row).toEqual({ status: 'canceled', is_final: true })
      expect((await template(id)).status).toBe('DEPRECATED')
      await expectCountsToAgree(id)
    }
  })

  it('a template is deleted while it is voted on and while workflows are opened', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, name } = await world.made(one())
      const workflows = await Promise.all(Array.from({ length: 6 }, () => opened(id)))
      const open = (index: number) =>
        world.ada.post('/workflows', { name: `gone-${round}-${index}`, workflowTemplateId: id })
      const [deleted, ...answers] = await Promise.all([
        world.ada.delete(`${templates}/${name}`),
        ...workflows.map((workflow) => vote(workflow)),
        ...workflows.map((_, index) => open(index)),
      ])
      expect(deleted.status).toBe(204)
      for (const { status } of answers) expect([200, 201, 400, 404]).toContain(status)
      expect(await world.ctx.db.selectFrom('requests').select('id').where('policy_id', '=', id).execute()).toEqual([])
    }
  })

  it('two updates follow each other, or one of them was told that it had seen the other version', async () => {
    const { name, concurrencyControl } = await world.made()
    const update = (body: object) => world.ada.put(`${templates}/${name}`, body)
    expect(statuses(await Promise.all([1, 2, 3, 4].map(() => update({ concurrencyControl }))))).toEqual([
      200, 409, 409, 409,
    ])
    expect(statuses(await Promise.all([1, 2, 3].map(() => update({}))))).toEqual([200, 200, 200])
    expect((await template(name)).version).toBe('5')
  })

  it('a name is taken once', async () => {
    const body = world.draft()
    const answers = await Promise.all([1, 2, 3, 4].map(() => world.ada.post(templates, body)))
    expect(statuses(answers)).toEqual([201, 409, 409, 409])
  })

  it('a quota lets no more through than it says', async () => {
    const spaceId = await insertSpace(world.ctx)
    await insertQuota(world.ctx, 'MAX_WORKFLOW_TEMPLATES_PER_SPACE', 'Space', spaceId, 3)
    const create = () => world.ada.post(templates, world.draft({ spaceId }))
    expect(statuses(await Promise.all([1, 2, 3, 4, 5, 6].map(create)))).toEqual([201, 201, 201, 403, 403, 403])
  })

  /** Lets a call see the active version, and takes that version out of use before the call can change it. */
  async function overtaken(id: string, call: () => Promise<Answer>): Promise<Answer> {
    let answer: Promise<Answer> | undefined
    await transact(world.ctx, null, async (tx) => {
      await lockFacts(tx, orgId)
      answer = call()
      await untilWaiting(world.ctx.db)
      await tx.updateTable('policies').set({ status: 'pending-deprecation' }).where('id', '=', id).execute()
    })
    return (await answer) as Answer
  }

  it.each(['id', 'name'])('POST …/deprecate 409 CONCURRENCY_ERROR by %s when overtaken', async (by) => {
    const made = await world.made()
    expectRefusal(await overtaken(made.id, () => deprecate(made[by])), 409, 'CONCURRENCY_ERROR')
  })

  it.each(['id', 'name'])(
    'PUT /workflow-templates/{templateIdentifier} 409 CONCURRENCY_ERROR by %s when overtaken',
    async (by) => {
      const made = await world.made()
      const update = () => world.ada.put(`${templates}/${made[by]}`, {})
      expectRefusal(await overtaken(made.id, update), 409, 'CONCURRENCY_ERROR')
    },
  )

  it('10,000 workflows are canceled by one call: the first at once, all by its job', async () => {
    const { id } = await world.made(one())
    const first = await opened(id)
    await sql`
      insert into requests (org_id, id, dialect, policy_id, name, metadata, requester_id, digest, status, tally, expires_at, created_at, updated_at)
      select org_id, gen_random_uuid(), dialect, policy_id, 'many-' || n, metadata, requester_id, digest, status, tally, expires_at, created_at, updated_at
      from requests, generate_series(1, 9999) n where id = ${first}`.execute(world.ctx.db)
    await world.ctx.db
      .insertInto('request_counts')
      .values({ org_id: orgId, policy_id: id, is_final: false, difference: 9999 })
      .execute()
    expect((await deprecate(id, { cancelWorkflows: true })).status).toBe(200)
    expect((await template(id)).status).toBe('PENDING_DEPRECATION')
    // Those that the job has not come to yet take no more votes either.
    const left = world.ctx.db.selectFrom('requests').select('name').where('policy_id', '=', id)
    const { name } = await left.where('status', '=', 'open').limit(1).executeTakeFirstOrThrow()
    for (const type of ['APPROVE', 'VETO', 'WITHDRAW']) {
      const voteType = type === 'APPROVE' ? approve().voteType : { type }
      expectRefusal(await vote(name, { voteType }), 422, 'WORKFLOW_TEMPLATE_NOT_ACTIVE')
    }
    await runDueJobs(world.ctx)
    expect((await template(id)).status).toBe('DEPRECATED')
    await expectCountsToAgree(id)
    const canceled = world.ctx.db.selectFrom('audit_leaves').select('id').where('kind', '=', 'request.canceled')
    expect((await canceled.execute()).length).toBeGreaterThanOrEqual(10_000)
  })
})
