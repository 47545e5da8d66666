import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Action } from '../../../src/approvals/actions.ts'
import { runDueJobs } from '../../../src/jobs/worker.ts'
import { insertDelivery, waitingJobs, type DeliverySeed } from '../../helpers/delivery-rows.ts'
import { agent, callerCases, ghost, leavesOf, table, unknownId, type Case } from '../../helpers/directory.ts'
import { startHttpSink, type HttpSink } from '../../helpers/http-sink.ts'
import { bearing, madeKey, said } from '../../helpers/machine.ts'
import { startWorld, type Answer, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'bot' | 'readKey' | 'adminKey'

const path = '/v1/deliveries'
const foreignOrg = '01890000-0000-7000-8000-00000000000f'
const adminKey = 'an-admin-key-that-only-this-test-knows'

let sink: HttpSink
let world: World
let cast: Record<Exclude<Who, 'nobody'>, Omit<Client, 'id'>>
const ids = { webhook: '', mail: '', slack: '', failed: '', workflow: '', foreign: '', foreignWorkflow: '' }
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Omit<Client, 'id'>> })

/** Secrets of every kind that an action can hold; each holds the word `hidden`. */
const secretive: Action = {
  type: 'WEBHOOK',
  url: 'http://hiddenuser:hiddenword@hooks.example/in?token=hiddentoken&stage=1',
  method: 'POST',
  headers: { Authorization: 'Bearer hiddenbearer', 'X-Api-Key': 'hiddenkey', 'X-Plain': 'shown' },
}
const slack: Action = { type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/T0hidden/B0hidden/hidden' }
const mail: Action = { type: 'EMAIL', recipients: ['ops@example.com'] }

beforeAll(async () => {
  sink = await startHttpSink()
  world = await startWorld({ env: { QUORATE_ADMIN_KEY: adminKey }, network: sink.network })
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const readKey = bearing(world, (await madeKey(ada, { scopes: ['native:read'] })).key)
  const bot = await agent(world, 'bot', ben)
  cast = { ada, ben, bot, readKey, adminKey: bearing(world, adminKey), gone: await ghost(world) }
  const at = world.clock.now()
  await world.ctx.db.insertInto('organizations').values({ id: foreignOrg, name: 'other', created_at: at }).execute()
})
afterAll(async () => {
  await world.close()
  await sink[Symbol.asyncDispose]()
})

const added = async (seed: DeliverySeed = {}): Promise<string> => {
  world.clock.advance(1000)
  return await insertDelivery(world.ctx, seed)
}

// Every test begins with these: the webhook and the message about one workflow are the oldest, another organization's last.
beforeEach(async () => {
  await world.ctx.db.deleteFrom('deliveries').execute()
  sink.calls.length = 0
  ids.workflow = world.ctx.newId()
  ids.foreignWorkflow = world.ctx.newId()
  const answered = { status: 200, body: 'Bearer hiddenbearer, or hiddentoken?', bodyState: 'OK' }
  const about = { request_id: ids.workflow }
  ids.webhook = await added({ ...about, action: secretive, status: 'completed', attempts: 1, response: answered })
  ids.mail = await added({ ...about, action: mail, status: 'pending' })
  ids.failed = await added({ status: 'error', attempts: 3, reason: 'hooks.example answered 500.' })
  ids.slack = await added({ action: slack, status: 'error', attempts: 1, to_status: 'canceled' })
  const foreign = { org_id: foreignOrg, status: 'error', request_id: ids.foreignWorkflow } as const
  ids.foreign = await added(foreign)
})

const refusals = (at: () => string): Case<Who>[] => [
  ...callerCases<Who>(at, 'nobody', 'gone'),
  { name: 'no organization admin', as: 'ben', path: at, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
  { name: 'an agent', as: 'bot', path: at, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
]

const unknown = (at: (id: string) => string): Case<Who>[] => [
  ...(
    [
      ['unknown', () => unknownId],
      ["another organization's", () => ids.foreign],
      ['no uuid', () => 'newest'],
    ] as const
  ).map(([name, id]) => ({
    name,
    as: 'ada' as const,
    path: () => at(id()),
    status: 404,
    code: 'DELIVERY_NOT_FOUND',
  })),
  { name: 'with NUL', as: 'ada', path: () => at('%00'), status: 400, code: 'MALFORMED_REQUEST' },
]

const idsOf = ({ body }: Answer): string[] => body.deliveries.map(({ id }: { id: string }) => id)
const listed = async (query = ''): Promise<string[]> => idsOf(await cast.ada.get(path + query))

const shows = (name: string, query: () => string, of: () => string[]): Case<Who> => ({
  name,
  as: 'ada',
  path: () => path + query(),
  status: 200,
  check: (answer) => {
    expect(idsOf(answer)).toEqual(of())
    expect(answer.body.pagination).toEqual({ hasMore: false })
  },
})

const badQuery = (query: string, code: string, field: string): Case<Who> => ({
  name: query,
  as: 'ada',
  path: () => path + query,
  status: 400,
  code,
  field,
})

const everything = () => [ids.slack, ids.failed, ids.mail, ids.webhook]

table<Who>('GET /v1/deliveries', setting, [
  shows('an organization admin, newest first', () => '', everything),
  { name: 'the admin key', as: 'adminKey', path: () => path, status: 200 },
  { name: "an admin's API key that may read", as: 'readKey', path: () => path, status: 200 },
  shows(
    'of a status',
    () => '?status=ERROR',
    () => [ids.slack, ids.failed],
  ),
  shows(
    'of one status or another',
    () => '?status=ERROR&status=PENDING',
    () => [ids.slack, ids.failed, ids.mail],
  ),
  shows(
    'of a type',
    () => '?type=WEBHOOK',
    () => [ids.failed, ids.webhook],
  ),
  shows(
    'of one type or another',
    () => '?type=SLACK,EMAIL',
    () => [ids.slack, ids.mail],
  ),
  shows(
    'about a workflow, in any case',
    () => `?workflowId=${ids.workflow.toUpperCase()}`,
    () => [ids.mail, ids.webhook],
  ),
  shows(
    'of a type and a status',
    () => '?type=WEBHOOK&status=ERROR',
    () => [ids.failed],
  ),
  shows(
    'about a workflow and of a status',
    () => `?workflowId=${ids.workflow}&status=COMPLETED`,
    () => [ids.webhook],
  ),
  shows(
    'about a workflow and of a type',
    () => `?workflowId=${ids.workflow}&type=EMAIL`,
    () => [ids.mail],
  ),
  shows(
    'about a workflow that there is not',
    () => `?workflowId=${unknownId}`,
    () => [],
  ),
  shows(
    "about another organization's workflow",
    () => `?workflowId=${ids.foreignWorkflow}`,
    () => [],
  ),
  ...refusals(() => path),
  badQuery('?status=FAILED', 'INVALID_DELIVERY_STATUS', 'status'),
  badQuery('?status=error', 'INVALID_DELIVERY_STATUS', 'status'),
  badQuery('?status=', 'INVALID_DELIVERY_STATUS', 'status'),
  badQuery('?type=FAX', 'INVALID_DELIVERY_TYPE', 'type'),
  badQuery('?type=toString', 'INVALID_DELIVERY_TYPE', 'type'),
  badQuery('?workflowId=release-2-1', 'INVALID_WORKFLOW_ID', 'workflowId'),
  badQuery(`?workflowId=${unknownId}&workflowId=${unknownId}`, 'INVALID_WORKFLOW_ID', 'workflowId'),
  badQuery('?limit=0', 'INVALID_LIMIT', 'limit'),
  badQuery('?limit=101', 'INVALID_LIMIT', 'limit'),
  badQuery('?limit=few', 'INVALID_LIMIT', 'limit'),
  badQuery('?cursor=next', 'INVALID_CURSOR', 'cursor'),
  badQuery('?cursor=', 'INVALID_CURSOR', 'cursor'),
  badQuery(`?cursor=${Buffer.from('2026-02-30T12:00:00.000Z_0189').toString('base64')}`, 'INVALID_CURSOR', 'cursor'),
])

describe('pages of deliveries', () => {
  async function pages(query: string, limit: number): Promise<string[]> {
    const seen: string[] = []
    for (let cursor = ''; ;) {
      const { body, status } = await cast.ada.get(`${path}?${query}&limit=${limit}${cursor}`)
      expect(status).toBe(200)
      expect(body.deliveries.length).toBeLessThanOrEqual(limit)
      seen.push(...body.deliveries.map(({ id }: { id: string }) => id))
      if (!body.pagination.hasMore) return seen
      expect(body.deliveries).toHaveLength(limit)
      cursor = `&cursor=${encodeURIComponent(body.pagination.nextCursor)}`
    }
  }

  it('hold each delivery once, also those of one instant', async () => {
    for (const action of [slack, mail, secretive]) {
      for (const status of ['pending', 'completed', 'error'] as const)
        await insertDelivery(world.ctx, { action, status })
    }
    const all = await listed('?limit=100')
    expect(all).toHaveLength(13)
    for (const limit of [1, 2, 4, 5, 13]) expect(await pages('', limit)).toEqual(all)
    const failed = await listed('?status=ERROR')
    expect(await pages('status=ERROR', 2)).toEqual(failed)
    expect(failed).toHaveLength(5)
  })

  it('go on where they were when something new has come', async () => {
    const { body } = await cast.ada.get(`${path}?limit=2`)
    await added()
    expect(await listed(`?limit=2&cursor=${encodeURIComponent(body.pagination.nextCursor)}`)).toEqual([
      ids.mail,
      ids.webhook,
    ])
  })
})

table<Who>('GET /v1/deliveries/{id}', setting, [
  {
    name: 'all of it, without secrets',
    as: 'ada',
    path: () => `${path}/${ids.webhook}`,
    status: 200,
    check: ({ body }) => {
      const at = body.createdAt
      expect(body).toEqual({
        id: ids.webhook,
        workflowId: ids.workflow,
        workflowName: 'release-2-1',
        type: 'WEBHOOK',
        status: 'COMPLETED',
        from: 'EVALUATION_IN_PROGRESS',
        to: 'APPROVED',
        occurredAt: at,
        attempts: 1,
        action: {
          type: 'WEBHOOK',
          url: 'http://***:***@hooks.example/in?token=***&stage=1',
          method: 'POST',
          headers: { Authorization: '***', 'X-Api-Key': '***', 'X-Plain': 'shown' },
        },
        response: { status: 200, body: '***, or ***?', bodyState: 'OK' },
        createdAt: expect.stringMatching(/^2026-11-2\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        updatedAt: at,
      })
    },
  },
  {
    name: 'one that failed, with the reason and without an answer',
    as: 'adminKey',
    path: () => `${path}/${ids.failed.toUpperCase()}`,
    status: 200,
    check: ({ body }) => {
      expect(body).toMatchObject({ status: 'ERROR', attempts: 3, reason: 'hooks.example answered 500.' })
      expect(Object.keys(body)).not.toContain('response')
    },
  },
  { name: "an admin's API key that may read", as: 'readKey', path: () => `${path}/${ids.failed}`, status: 200 },
  ...refusals(() => `${path}/${ids.failed}`),
  ...unknown((id) => `${path}/${id}`),
])

describe('a delivery', () => {
  it('shows its worker while that has it in hand, and no longer', async () => {
    const soon = new Date(Date.now() + 60_000)
    const id = await added({ locked_by: 'here/1/x', locked_until: soon })
    expect((await cast.ada.get(`${path}/${id}`)).body.lockedBy).toBe('here/1/x')
    await world.ctx.db
      .updateTable('deliveries')
      .set({ locked_until: new Date(Date.now() - 60_000) })
      .where('id', '=', id)
      .execute()
    expect((await cast.ada.get(`${path}/${id}`)).body).not.toHaveProperty('lockedBy')
  })

  it('shows a secret nowhere, in no list and in no answer to a requeue', async () => {
    const hidden = { ...secretive, redact: 'ALL' as const }
    const echoed = { status: 500, body: '{"path":"/services/T0hidden/B0hidden/hidden"}', bodyState: 'OK' }
    await added({ action: hidden, status: 'error', response: { ...echoed, body: 'a'.repeat(10) } })
    const failed = await added({ action: slack, status: 'error', response: echoed })
    const answers = [await cast.ada.get(path), await cast.ada.get(`${path}/${failed}`)]
    answers.push(await cast.ada.post(`${path}/${failed}/requeue`))
    for (const { body, status } of answers) {
      expect(status).toBe(200)
      expect(JSON.stringify(body)).not.toMatch(/hidden/i)
      expect(JSON.stringify(body)).toContain('***')
    }
  })
})

const unscoped = (at: () => string): Case<Who> => ({
  name: "an admin's API key that may only read",
  as: 'readKey',
  path: at,
  status: 403,
  code: 'API_KEY_SCOPE_MISSING',
})

table<Who>('POST /v1/deliveries/{id}/requeue', setting, [
  {
    name: 'one that failed is as new, with a job and a leaf',
    as: 'ada',
    path: () => `${path}/${ids.failed}/requeue`,
    status: 200,
    check: async ({ body }) => {
      expect(body).toMatchObject({ id: ids.failed, status: 'PENDING', attempts: 0 })
      expect(body).not.toHaveProperty('reason')
      expect(body.updatedAt > body.createdAt).toBe(true)
      expect(await leavesOf(world, ids.failed)).toEqual(['delivery.requeued'])
      expect(await waitingJobs(world.ctx, [ids.failed])).toEqual([{ id: ids.failed, delay: 0 }])
      await runDueJobs(world.ctx)
      expect(sink.calls.map(({ headers }) => headers['webhook-id'])).toEqual([ids.failed])
      expect((await cast.ada.get(`${path}/${ids.failed}`)).body).toMatchObject({ status: 'COMPLETED', attempts: 1 })
    },
  },
  { name: 'the admin key', as: 'adminKey', path: () => `${path}/${ids.failed}/requeue`, status: 200 },
  {
    name: 'one that is still to be sent',
    as: 'ada',
    path: () => `${path}/${ids.mail}/requeue`,
    status: 409,
    code: 'DELIVERY_NOT_FAILED',
  },
  {
    name: 'one that was sent',
    as: 'ada',
    path: () => `${path}/${ids.webhook}/requeue`,
    status: 409,
    code: 'DELIVERY_NOT_FAILED',
  },
  ...refusals(() => `${path}/${ids.failed}/requeue`),
  unscoped(() => `${path}/${ids.failed}/requeue`),
  ...unknown((id) => `${path}/${id}/requeue`),
])

const many = `${path}/requeue`
const badBody = (name: string, body: unknown, code: string, field?: string): Case<Who> => ({
  name,
  as: 'ada',
  path: () => many,
  body: () => body,
  status: 400,
  code,
  ...(field !== undefined && { field }),
})

const requeues = (name: string, body: () => object | undefined, of: () => string[], as: Who = 'ada'): Case<Who> => ({
  name,
  as,
  path: () => many,
  body,
  status: 200,
  check: async (answer) => {
    expect(answer.body).toEqual({ requeued: of().length })
    expect((await listed('?status=PENDING')).toSorted()).toEqual([ids.mail, ...of()].toSorted())
    expect((await waitingJobs(world.ctx, [...everything(), ids.foreign])).map(({ id }) => id).toSorted()).toEqual(
      of().toSorted(),
    )
    for (const id of of()) expect(await leavesOf(world, id)).toEqual(['delivery.requeued'])
  },
})

table<Who>('POST /v1/deliveries/requeue', setting, [
  requeues(
    'every one that failed, of this organization alone',
    () => undefined,
    () => [ids.failed, ids.slack],
  ),
  requeues(
    'the admin key',
    () => ({ limit: 1000 }),
    () => [ids.failed, ids.slack],
    'adminKey',
  ),
  requeues(
    'the oldest',
    () => ({ limit: 1 }),
    () => [ids.failed],
  ),
  requeues(
    'those of a type',
    () => ({ type: 'SLACK' }),
    () => [ids.slack],
  ),
  requeues(
    'those of a type when none has failed',
    () => ({ type: 'EMAIL' }),
    () => [],
  ),
  requeues(
    'those about a workflow when none has failed',
    () => ({ workflowId: ids.workflow }),
    () => [],
  ),
  requeues(
    "those about another organization's workflow",
    () => ({ workflowId: ids.foreignWorkflow }),
    () => [],
  ),
  ...refusals(() => many),
  unscoped(() => many),
  badBody('limit 0', { limit: 0 }, 'INVALID_LIMIT', 'limit'),
  badBody('limit 1001', { limit: 1001 }, 'INVALID_LIMIT', 'limit'),
  badBody('limit 1.5', { limit: 1.5 }, 'INVALID_LIMIT', 'limit'),
  badBody('limit as a text', { limit: '10' }, 'INVALID_LIMIT', 'limit'),
  badBody('limit null', { limit: null }, 'INVALID_LIMIT', 'limit'),
  badBody('an unknown type', { type: 'FAX' }, 'INVALID_DELIVERY_TYPE', 'type'),
  badBody('types', { type: ['EMAIL'] }, 'INVALID_DELIVERY_TYPE', 'type'),
  badBody('a name for a workflow', { workflowId: 'release' }, 'INVALID_WORKFLOW_ID', 'workflowId'),
  badBody('a number for a workflow', { workflowId: 1 }, 'INVALID_WORKFLOW_ID', 'workflowId'),
  badBody('a list', [], 'MALFORMED_REQUEST'),
])

describe('sending failed deliveries again', () => {
  const seeded = async (count: number, seed: DeliverySeed = {}) => {
    const made: string[] = []
    for (let index = 0; index < count; index++) made.push(await added({ status: 'error', ...seed }))
    return made
  }
  const about = () => ({ request_id: world.ctx.newId() })

  it('calls each destination ten times a second, the oldest first', async () => {
    const of = about()
    const webhooks = await seeded(4, of)
    const slacks = await seeded(2, { ...of, action: slack })
    await cast.ada.post(many, { workflowId: of.request_id })
    const delays = (jobs: { delay: number }[]) => jobs.map(({ delay }) => delay)
    const waiting = await waitingJobs(world.ctx, webhooks)
    expect(waiting.map(({ id }) => id)).toEqual(webhooks)
    expect(delays(waiting)).toEqual([0, 0.1, 0.2, 0.3])
    expect(delays(await waitingJobs(world.ctx, slacks))).toEqual([0, 0.1])
  })

  it('takes a hundred unless told otherwise', async () => {
    const of = about()
    const made = await seeded(101, of)
    expect((await cast.ada.post(many, { workflowId: of.request_id })).body).toEqual({ requeued: 100 })
    expect(await listed(`?workflowId=${of.request_id}&status=ERROR`)).toEqual(made.slice(100))
  })

  it('is done once by two at once', async () => {
    const of = about()
    const made = await seeded(20, of)
    const body = { workflowId: of.request_id }
    const answers = await Promise.all([cast.ada.post(many, body), cast.adminKey.post(many, body)])
    expect(answers.map((answer) => answer.body.requeued).toSorted((a, b) => a - b)).toEqual([0, 20])
    expect(await waitingJobs(world.ctx, made)).toHaveLength(20)
    for (const id of made) expect(await leavesOf(world, id)).toEqual(['delivery.requeued'])
  })

  it('of one and the same is done once by two at once', async () => {
    const answers = await Promise.all([
      cast.ada.post(`${path}/${ids.failed}/requeue`),
      cast.adminKey.post(`${path}/${ids.failed}/requeue`),
    ])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409])
    expect(await waitingJobs(world.ctx, [ids.failed])).toHaveLength(1)
  })

  it('is one, however often it is asked for under one Idempotency-Key', async () => {
    const once = { 'idempotency-key': ids.failed }
    const first = await cast.ada.post(many, {}, once)
    expect(first.body).toEqual({ requeued: 2 })
    await seeded(1)
    expect((await cast.ada.post(many, {}, once)).body).toEqual(first.body)
    expect(said(await cast.ada.post(many, { limit: 1 }, once))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
    const single = { 'idempotency-key': ids.slack }
    const third = await listed('?status=ERROR')
    const again = `${path}/${third[0]}/requeue`
    const answers = [await cast.ada.post(again, undefined, single), await cast.ada.post(again, undefined, single)]
    expect(answers[1]).toMatchObject({ status: 200, body: answers[0]?.body })
  })
})
