import { sql } from 'kysely'
import { v5 as uuidv5 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ActionTrigger } from '../../src/approvals/actions.ts'
import { enqueueActions, triggeredActions, type Transition } from '../../src/approvals/enqueue-actions.ts'
import { expireRequests } from '../../src/approvals/expire-requests.ts'
import { runDueJobs } from '../../src/jobs/worker.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { insertRequests } from '../helpers/crowd.ts'
import { deliveriesOf, delivered } from '../helpers/delivered.ts'
import { startHttpSink, type HttpSink, type SinkAnswer } from '../helpers/http-sink.ts'
import { insertSpace, orgId } from '../helpers/quorum.ts'
import { templates } from '../helpers/templates.ts'
import { deprecated, startWorkflowWorld, workflows, type WorkflowWorld } from '../helpers/workflows.ts'

let sink: HttpSink
let world: WorkflowWorld
let answer: SinkAnswer

beforeAll(async () => {
  sink = await startHttpSink((response, call) => answer(response, call))
  answer = (response) => response.end('thanks')
  world = await startWorkflowWorld({ network: sink.network, env: { QUORATE_DELIVERY_WAIT: '0.01' } })
})

afterAll(async () => {
  await world.close()
  await sink[Symbol.asyncDispose]()
})

const hook = (members: object = {}) => ({ type: 'WEBHOOK', url: 'https://hooks.example/in', ...members })
const triggers: readonly ActionTrigger[] = ['APPROVED', 'REJECTED', 'EXPIRED', 'CANCELED']

/** A workflow of a template with these actions, which one guard approves. */
async function opened(...actions: object[]): Promise<string> {
  return await world.opened({ approvalRule: world.rule(1), actions })
}

/** What the sink has heard of a workflow once its jobs ran. */
async function heardOf(id: string) {
  await delivered(world.ctx, id)
  return sink.calls
    .map((call) => ({ ...call, told: JSON.parse(call.body) }))
    .filter(({ told }) => told.workflowId === id)
}

/** In the order in which it happened; what is sent keeps none. */
const toldOf = async (id: string) =>
  (await heardOf(id))
    .map(({ told }) => told)
    .toSorted((one, other) => Date.parse(one.occurredAt) - Date.parse(other.occurredAt))
    .map(({ status }) => status)
const templateOf = async (id: string) => (await world.ben.get(`${workflows}/${id}`)).body.workflowTemplateId

/** Each way in which a workflow comes to an end, or is rejected. */
const events: readonly (readonly [what: string, status: ActionTrigger, happen: (id: string) => Promise<unknown>])[] = [
  ['an approval', 'APPROVED', (id) => world.voted(world.cleo, id, 'APPROVE')],
  ['a veto', 'REJECTED', (id) => world.voted(world.cleo, id, 'VETO')],
  [
    'the end of its time',
    'EXPIRED',
    async (id) => {
      await world.expiresIn(0, { id })
      await expireRequests(world.ctx)
    },
  ],
  ['a cancellation by command', 'CANCELED', (id) => world.ada.post(`/v1/workflows/${id}/cancel`)],
  ['a deprecation that cancels', 'CANCELED', async (id) => deprecated(world, await templateOf(id), true)],
  [
    'an update that cancels',
    'CANCELED',
    async (id) => world.ada.put(`${templates}/${await templateOf(id)}`, { cancelWorkflows: true }),
  ],
]

describe('what runs', () => {
  const subsets = Array.from({ length: 2 ** triggers.length - 1 }, (_, index) =>
    triggers.filter((_trigger, place) => ((index + 1) & (2 ** place)) !== 0),
  )

  it.each(events)(
    'after %s (%s): every list `on` that names it, and approvals alone where there is none',
    async (...event) => {
      const [, status, happen] = event
      const lists = subsets.map((on) => hook({ on, url: `https://hooks.example/${on.join('+')}` }))
      const id = await opened(hook({ url: 'https://hooks.example/none' }), ...lists)
      await happen(id)
      expect(await world.statusOf(id)).toBe(status)
      const heard = await heardOf(id)
      const due = subsets.filter((on) => on.includes(status)).map((on) => `/${on.join('+')}`)
      expect(heard.map(({ url }) => url).toSorted()).toEqual(
        [...due, ...(status === 'APPROVED' ? ['/none'] : [])].toSorted(),
      )
      expect(new Set(heard.map(({ told }) => told.status))).toEqual(new Set([status]))
    },
  )

  it('is an action of any kind', async () => {
    const on = ['REJECTED']
    const id = await opened(
      { type: 'EMAIL', recipients: ['ops@example.com'], on },
      { type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/T/B/X', on },
      hook({ on }),
      { type: 'EMAIL', recipients: ['ops@example.com'] },
    )
    await world.voted(world.cleo, id, 'VETO')
    const kinds = (await deliveriesOf(world.ctx, id)).map(({ kind }) => kind)
    expect(kinds.toSorted()).toEqual(['EMAIL', 'SLACK', 'WEBHOOK'])
  })

  it.each([
    ['by command', async (id: string) => void (await world.ada.post(`/v1/workflows/${id}/cancel`))],
    ['with its version', async (id: string) => deprecated(world, await templateOf(id), true)],
  ])('after a rejected one is canceled %s: what a cancellation asks for, from REJECTED', async (_, cancel) => {
    const id = await opened(hook({ on: triggers }))
    await world.voted(world.cleo, id, 'VETO')
    world.clock.advance(1000)
    await cancel(id)
    expect(await toldOf(id)).toEqual(['REJECTED', 'CANCELED'])
    expect(await deliveriesOf(world.ctx, id)).toContainEqual(
      expect.objectContaining({ from_status: 'rejected', to_status: 'canceled' }),
    )
  })

  it('after a cancellation of more workflows than two jobs take: of each, once', async () => {
    const email = { type: 'EMAIL', recipients: ['ops@example.com'], on: ['CANCELED'] }
    const { id: policyId } = await world.made({ approvalRule: world.rule(1), actions: [email] })
    await insertRequests(world.ctx, policyId, { id: world.ada.id, kind: 'human', personId: world.ada.id }, 1_001)
    await deprecated(world, policyId, true)
    await runDueJobs(world.ctx)
    const { rows } = await sql<{ status: string; told: string; workflows: string }>`
      select r.status, count(*) as told, count(distinct r.id) as workflows
      from requests r left join deliveries d on d.request_id = r.id where r.policy_id = ${policyId}
      group by r.status`.execute(world.ctx.db)
    expect(rows).toEqual([{ status: 'canceled', told: '1001', workflows: '1001' }])
  })

  it('when a version is canceled whose workflow was overdue: an expiry, at its deadline', async () => {
    const id = await opened(hook({ on: triggers }))
    await world.expiresIn(-90_000, { id })
    await deprecated(world, await templateOf(id), true)
    const occurredAt = new Date(world.clock.now().getTime() - 90_000).toISOString()
    expect(await heardOf(id)).toMatchObject([{ told: { status: 'EXPIRED', occurredAt } }])
  })

  it.each([
    ['a final veto', { veto: 'final' }, 'VETO', ['REJECTED']],
    ['a veto that is ignored', { veto: 'ignored' }, 'VETO', []],
  ] as const)('after %s', async (_, options, type, told) => {
    const id = await world.opened({ approvalRule: world.rule(2), options, actions: [hook({ on: triggers })] })
    await world.voted(world.cleo, id, type)
    expect(await toldOf(id)).toEqual(told)
  })
})

describe('only a change runs anything', () => {
  const always = (options?: object) =>
    world.opened({ approvalRule: world.rule(2), actions: [hook({ on: triggers })], options })
  type Act = readonly [who: 'cleo' | 'dan' | 'eli', type: 'APPROVE' | 'VETO' | 'WITHDRAW']

  const histories: readonly (readonly [what: string, acts: readonly Act[], told: readonly string[]])[] = [
    ['an opening', [], []],
    ['an approval that decides nothing', [['cleo', 'APPROVE']], []],
    ['a withdrawal of nothing', [['cleo', 'WITHDRAW']], []],
    [
      'further votes that leave it rejected',
      [
        ['cleo', 'VETO'],
        ['cleo', 'VETO'],
        ['dan', 'VETO'],
        ['eli', 'APPROVE'],
        ['dan', 'WITHDRAW'],
        ['eli', 'WITHDRAW'],
      ],
      ['REJECTED'],
    ],
    [
      'a return to in progress',
      [
        ['cleo', 'VETO'],
        ['cleo', 'WITHDRAW'],
      ],
      ['REJECTED'],
    ],
    [
      'another rejection after it, by the same voter',
      [
        ['cleo', 'VETO'],
        ['cleo', 'WITHDRAW'],
        ['cleo', 'VETO'],
      ],
      ['REJECTED', 'REJECTED'],
    ],
    [
      'an approval straight from a rejection',
      [
        ['cleo', 'VETO'],
        ['dan', 'APPROVE'],
        ['cleo', 'APPROVE'],
      ],
      ['REJECTED', 'APPROVED'],
    ],
    [
      'what comes after the end',
      [
        ['cleo', 'APPROVE'],
        ['dan', 'APPROVE'],
      ],
      ['APPROVED'],
    ],
  ]

  // With naturalPersons every vote is cast under the lock, without it only one that decides something (ADR 2).
  it.each(
    [{}, { naturalPersons: true }].flatMap((options) =>
      histories.map(([...history]) => [options, ...history] as const),
    ),
  )('%o: %s', async (options, _, acts, told) => {
    const id = await always(options)
    for (const [who, type] of acts) {
      world.clock.advance(1000)
      await world.voted(world[who], id, type)
    }
    expect(await toldOf(id)).toEqual(told)
    const ids = (await deliveriesOf(world.ctx, id)).map((delivery) => delivery.id)
    expect(new Set(ids).size).toBe(told.length)
    // Nothing is left for a second run of the jobs.
    expect(await toldOf(id)).toEqual(told)
  })

  it('not a vote that is refused, nor a template that goes out of use and leaves its workflows', async () => {
    const id = await always()
    expect((await world.vote(world.ben, id, 'VETO')).status).toBe(403)
    await world.ada.put(`${templates}/${await templateOf(id)}`, {})
    expect(await toldOf(id)).toEqual([])
    await world.ada.post(`/v1/workflows/${id}/cancel`)
    expect((await world.ada.post(`/v1/workflows/${id}/cancel`)).status).toBe(422)
    expect(await toldOf(id)).toEqual(['CANCELED'])
  })
})

describe('what is told', () => {
  it('is the id, the name, the status and the time of the decision, in the task’s own name', async () => {
    const id = await opened(hook({ headers: { 'X-Team': 'payments' } }))
    const occurredAt = world.clock.now().toISOString()
    await world.voted(world.cleo, id, 'APPROVE')
    world.clock.advance(5000)
    const { name } = (await world.ben.get(`${workflows}/${id}`)).body
    const [heard, ...more] = await heardOf(id)
    expect(more).toEqual([])
    expect(heard).toMatchObject({ method: 'POST', headers: { 'x-team': 'payments' } })
    expect(heard?.told).toEqual({ workflowId: id, workflowName: name, status: 'APPROVED', occurredAt })
    const [delivery] = await deliveriesOf(world.ctx, id)
    expect(heard?.headers['idempotency-key']).toBe(delivery?.id)
  })
})

describe('the list is the one that stood when it happened', () => {
  const original = { url: 'https://hooks.example/original?key=s3cret', headers: { 'X-Token': 's3cret' } }
  const whole = { url: '/original?key=s3cret', headers: { 'x-token': 's3cret' }, told: { status: 'APPROVED' } }

  it('although the template was changed before the job ran', async () => {
    const id = await opened(hook(original))
    const { name } = (await world.ben.get(`${templates}/${await templateOf(id)}`)).body
    await world.voted(world.cleo, id, 'APPROVE')
    await world.ada.put(`${templates}/${name}`, { actions: [hook({ url: 'https://hooks.example/changed' })] })
    await deprecated(world, name)
    expect(await heardOf(id)).toMatchObject([whole])
  })

  it('although its space was deleted before the job ran', async () => {
    const spaceId = await insertSpace(world.ctx)
    const id = await world.opened({ spaceId, approvalRule: world.rule(1), actions: [hook(original)] })
    await world.voted(world.cleo, id, 'APPROVE')
    expect((await world.ada.delete(`/spaces/${spaceId}`)).status).toBe(204)
    expect((await world.ben.get(`${workflows}/${id}`)).status).toBe(404)
    expect(await heardOf(id)).toMatchObject([whole])
  })

  it('and a workflow has that of its own version, whatever came after it was opened', async () => {
    const id = await opened(hook(original))
    const { name } = (await world.ben.get(`${templates}/${await templateOf(id)}`)).body
    const changed = { url: 'https://hooks.example/changed' }
    const { body: second } = await world.ada.put(`${templates}/${name}`, { actions: [hook(changed)] })
    const later = await world.openedUnder(second.id)
    for (const each of [id, later]) await world.voted(world.cleo, each, 'APPROVE')
    expect(await heardOf(id)).toMatchObject([whole])
    expect(await heardOf(later)).toMatchObject([{ url: '/changed' }])
  })

  it('but what still waits is stopped when the template is deleted', async () => {
    const [deleted, other] = [await opened(hook()), await opened(hook())]
    for (const id of [deleted, other]) await world.voted(world.cleo, id, 'APPROVE')
    expect((await world.ada.delete(`${templates}/${await templateOf(deleted)}`)).status).toBe(204)
    expect(await heardOf(deleted)).toEqual([])
    expect(await deliveriesOf(world.ctx, deleted)).toMatchObject([
      { status: 'error', attempts: 0, reason: 'The template was deleted.' },
    ])
    expect(await toldOf(other)).toEqual(['APPROVED'])
  })
})

describe('a task', () => {
  const namespace = '6c1f5ae2-5b0e-4c0d-9f0a-7c2d8e4b9a11'

  it('has a UUIDv5 of the event and the place of its action, which a replay of the event makes again', async () => {
    const id = await opened(hook(), hook({ on: ['EXPIRED'] }), hook())
    const occurredAt = world.clock.now()
    await world.voted(world.cleo, id, 'APPROVE')
    const event = uuidv5(`${id}/1/open/approved`, namespace)
    const ids = [uuidv5('0', event), uuidv5('2', event)].toSorted()
    const stored = async () => (await deliveriesOf(world.ctx, id)).map((delivery) => delivery.id)
    expect(await stored()).toEqual(ids)

    const replay = async () => {
      const { ctx } = world
      const transition: Transition = { requestId: id, from: 'open', to: 'approved', seq: 1, occurredAt }
      const triggered = await triggeredActions(ctx, ctx.db, orgId, await templateOf(id), 'approved')
      await transact(ctx, null, async (tx) => await enqueueActions(ctx, tx, orgId, triggered, [transition]))
    }
    await replay()
    expect(await stored()).toEqual(ids)
    expect(await toldOf(id)).toHaveLength(2)
    await replay()
    expect(await toldOf(id)).toHaveLength(2)
    const named = (await heardOf(id)).map(({ headers }) => String(headers['idempotency-key']))
    expect(named.toSorted()).toEqual(ids)
  })

  const outcomes: readonly (readonly [status: number, outcome: object])[] = [
    [
      200,
      { status: 'completed', attempts: 1, reason: null, response: { status: 200, body: 'thanks', bodyState: 'OK' } },
    ],
    [404, { status: 'error', attempts: 1, reason: 'hooks.example answered 404.', response: { status: 404 } }],
    [503, { status: 'error', attempts: 3, reason: 'hooks.example answered 503.', response: { status: 503 } }],
  ]

  it.each(outcomes)('is pending, and after a %i settled with what was answered', async (status, outcome) => {
    const id = await opened(hook())
    await world.voted(world.cleo, id, 'APPROVE')
    expect(await deliveriesOf(world.ctx, id)).toMatchObject([
      { status: 'pending', attempts: 0, reason: null, response: null, locked_by: null },
    ])
    answer = (response) => response.writeHead(status).end('thanks')
    expect(await delivered(world.ctx, id)).toMatchObject([{ ...outcome, locked_by: null, locked_until: null }])
    answer = (response) => response.end('thanks')
  })

  it('is pending still, and says why, between two attempts', async () => {
    const id = await opened(hook())
    await world.voted(world.cleo, id, 'APPROVE')
    answer = (response) => response.writeHead(503).end()
    const patient = { ...world.ctx.config.delivery, firstWaitSeconds: 1, maxWaitSeconds: 1 }
    await runDueJobs({ ...world.ctx, config: { ...world.ctx.config, delivery: patient } })
    answer = (response) => response.end('thanks')
    expect(await deliveriesOf(world.ctx, id)).toMatchObject([
      { status: 'pending', attempts: 1, reason: 'hooks.example answered 503.', locked_by: null },
    ])
    expect(await delivered(world.ctx, id)).toMatchObject([{ status: 'completed', attempts: 2, reason: null }])
  })

  it('is locked in the name of its worker while it runs, and a second worker takes nothing', async () => {
    const id = await opened(hook())
    await world.voted(world.cleo, id, 'APPROVE')
    const asked = Promise.withResolvers<() => void>()
    answer = (response) => asked.resolve(() => response.end('thanks'))
    const first = runDueJobs(world.ctx)
    const release = await asked.promise
    answer = (response) => response.end('twice')

    const [held] = await deliveriesOf(world.ctx, id)
    expect(held).toMatchObject({
      status: 'pending',
      locked_by: expect.stringMatching(new RegExp(`^once/${process.pid}/[0-9a-f-]{36}$`)),
      locked_until: expect.any(Date),
    })
    expect(await runDueJobs(world.ctx)).toBe(0)
    // Not even with a job of its own.
    await world.ctx.store.jobs.enqueue(world.ctx.db, 'deliver', [{ data: { orgId, id: held?.id } }])
    expect(await runDueJobs(world.ctx)).toBe(1)
    expect(await deliveriesOf(world.ctx, id)).toMatchObject([{ locked_by: held?.locked_by, attempts: 0 }])

    release()
    await first
    expect(await heardOf(id)).toHaveLength(1)
    expect(await deliveriesOf(world.ctx, id)).toMatchObject([
      { status: 'completed', attempts: 1, locked_by: null, response: { body: 'thanks' } },
    ])
  })
})
