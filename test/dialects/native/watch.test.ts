import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { signAccessToken } from '../../../src/identity/access-token.ts'
import { openStream, type OpenedStream } from '../../helpers/event-stream.ts'
import { insertRequests } from '../../helpers/crowd.ts'
import { apiKeys, madeKey } from '../../helpers/machine.ts'
import { orgId } from '../../helpers/quorum.ts'
import { nowhere } from '../../helpers/templates.ts'
import { deprecated, refusals, startWorkflowWorld, type WorkflowWorld } from '../../helpers/workflows.ts'
import type { Answer, Calls, Client } from '../../helpers/world.ts'

let world: WorkflowWorld
let origin: string
let streams: OpenedStream[]

const open = 'EVALUATION_IN_PROGRESS'

async function start(env: Record<string, string> = {}, watchBeatMilliseconds = 5): Promise<void> {
  world = await startWorkflowWorld({ env, watchBeatMilliseconds })
  await world.app.listen({ host: '127.0.0.1', port: 0 })
  origin = `http://127.0.0.1:${(world.app.server.address() as AddressInfo).port}`
}

beforeEach(async () => {
  streams = []
  await start()
})
afterEach(async () => {
  for (const stream of streams) stream.close()
  await world.close()
})

async function watched(
  workflowId: string,
  client: Pick<Client, 'token'> = world.ben,
  headers: Record<string, string> = {},
): Promise<OpenedStream> {
  const stream = await openStream(origin, workflowId, client.token, headers)
  streams.push(stream)
  return stream
}

const nextStatus = async (stream: OpenedStream) => (await stream.next())?.id ?? 'the end'

/** Asks in the manner of a long poll; resolves with the answer. */
const asked = async (workflowId: string, query: string, client: Calls = world.ben): Promise<Answer> =>
  await client.get(`/v1/workflows/${workflowId}?${query}`)

/** Whoever begins to watch is looked after once at once; what happens later has to be noticed. */
const untilReadAgain = async () => await new Promise((resolve) => setTimeout(resolve, 100))

/** So many calls of this process wait. */
const untilWatching = async (count: number) =>
  await expect.poll(async () => (await world.ctx.metrics.watchers.get()).values[0]?.value).toBe(count)

describe('GET /v1/workflows/{id}/events', () => {
  test('tells the status at once, every change after it, and ends with the decision', async () => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    const stream = await watched(id)
    expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    const { body: workflow } = await world.ben.get(`/workflows/${id}`)
    const data = { workflowId: id, status: open, updatedAt: workflow.updatedAt, expiresAt: workflow.expiresAt }
    expect(await stream.next()).toEqual({ id: open, event: 'status', data })
    world.clock.advance(1_000)
    await world.vote(world.cleo, id, 'VETO')
    const updatedAt = world.clock.now().toISOString()
    expect(await stream.next()).toEqual({
      id: 'REJECTED',
      event: 'status',
      data: { ...data, status: 'REJECTED', updatedAt },
    })
    await world.vote(world.cleo, id, 'WITHDRAW')
    expect(await nextStatus(stream)).toBe(open)
    await world.vote(world.cleo, id, 'APPROVE')
    await world.vote(world.dan, id, 'APPROVE')
    expect(await nextStatus(stream)).toBe('APPROVED')
    expect(await stream.next()).toBeNull()
  })

  test('of a workflow that is decided it tells that, and ends', async () => {
    const id = await world.opened()
    await world.vote(world.cleo, id, 'APPROVE')
    const stream = await watched(id)
    expect([await nextStatus(stream), await stream.next()]).toEqual(['APPROVED', null])
  })

  test('a veto that is final ends it', async () => {
    const id = await world.opened({ options: { veto: 'final' } })
    const stream = await watched(id)
    await world.vote(world.cleo, id, 'VETO')
    expect([await nextStatus(stream), await nextStatus(stream), await stream.next()]).toEqual([open, 'REJECTED', null])
  })

  test('takes the name of a workflow as well, and shows a change by command', async () => {
    const id = await world.opened()
    const { body } = await world.ada.get(`/workflows/${id}`)
    const stream = await watched(body.name)
    await world.ada.post(`/v1/workflows/${id}/cancel`)
    expect([await nextStatus(stream), await nextStatus(stream), await stream.next()]).toEqual([open, 'CANCELED', null])
  })

  test('a deadline that passes is told though nothing has written it down', async () => {
    const id = await world.opened()
    await world.expiresIn(60_000, { id })
    const stream = await watched(id)
    expect(await nextStatus(stream)).toBe(open)
    await untilReadAgain()
    world.clock.advance(60_000 + 300)
    expect([await nextStatus(stream), await stream.next()]).toEqual(['EXPIRED', null])
    const { status } = await world.ctx.db
      .selectFrom('requests')
      .select('status')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    expect(status).toBe('open')
  })

  test('an expiry is not told before a vote that was cast in time would have shown', async () => {
    const id = await world.opened()
    await world.expiresIn(60_000, { id })
    const stream = await watched(id)
    await nextStatus(stream)
    world.clock.advance(60_000 + 100)
    expect(await world.statusOf(id)).toBe('EXPIRED')
    await untilReadAgain()
    // What such a vote writes.
    const approved = { status: 'approved', is_final: true } as const
    await world.ctx.db.updateTable('requests').set(approved).where('id', '=', id).execute()
    world.ctx.notices.announce(orgId, [id])
    expect(await nextStatus(stream)).toBe('APPROVED')
  })

  test('a template that goes out of use with its workflows is told to those who watch them', async () => {
    const template = await world.made({ approvalRule: world.rule() })
    const ids = [await world.openedUnder(template.id), await world.openedUnder(template.id)]
    const watching = await Promise.all(ids.map((id) => watched(id)))
    for (const stream of watching) await stream.next()
    await deprecated(world, template.id, true)
    expect(await Promise.all(watching.map(nextStatus))).toEqual(['CANCELED', 'CANCELED'])
  })

  test('who connects again is told nothing that they have seen', async () => {
    const id = await world.opened()
    const same = await watched(id, world.ben, { 'last-event-id': open })
    const other = await watched(id, world.ben, { 'last-event-id': 'REJECTED' })
    const odd = await watched(id, world.ben, { 'last-event-id': 'whatever' })
    await world.vote(world.cleo, id, 'APPROVE')
    expect([await nextStatus(same), await same.next()]).toEqual(['APPROVED', null])
    for (const stream of [other, odd])
      expect([await nextStatus(stream), await nextStatus(stream)]).toEqual([open, 'APPROVED'])
    expect((await watched(id, world.ben, { 'last-event-id': 'APPROVED' })).status).toBe(204)
  })

  test('carries the headers of every answer, and is kept by nobody on the way', async () => {
    await world.close()
    await start({ QUORATE_RATE_LIMIT: '50' })
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const { headers } = await watched(await world.opened(), world.ben, {
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
      origin: new URL(world.ctx.frontendUrl).origin,
    })
    expect(Object.fromEntries(headers)).toMatchObject({
      traceparent: expect.stringContaining(trace),
      'access-control-allow-origin': new URL(world.ctx.frontendUrl).origin,
      'access-control-allow-credentials': 'true',
      ratelimit: expect.stringMatching(/^limit=50, remaining=49,/),
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      connection: 'close',
    })
  })

  test('a comment keeps it alive', async () => {
    const stream = await watched(await world.opened())
    await stream.next()
    void stream.next()
    await expect.poll(stream.comments).toBeGreaterThan(1)
  })

  test('has no HEAD', async () => {
    const answer = await world.app.inject({ method: 'HEAD', url: `/v1/workflows/${nowhere}/events` })
    expect(answer.statusCode).toBe(404)
  })

  test('who hangs up is watching no longer', async () => {
    const stream = await watched(await world.opened())
    await untilWatching(1)
    stream.close()
    await untilWatching(0)
  })

  test('ends when its workflow is deleted', async () => {
    const template = await world.made({ approvalRule: world.rule() })
    const stream = await watched(await world.openedUnder(template.id))
    await stream.next()
    await world.ctx.db.deleteFrom('policies').where('id', '=', template.id).execute()
    expect(await stream.next()).toBeNull()
  })
})

describe('a stream ends when its caller would be let in no more', () => {
  const ending = async (client: Pick<Client, 'token'>, end: () => Promise<unknown>) => {
    const stream = await watched(await world.opened(), client)
    expect(await nextStatus(stream)).toBe(open)
    await end()
    expect(await stream.next()).toBeNull()
    expect((await watched(nowhere, client)).status).toBe(401)
  }

  test('disabled', async () => {
    await ending(world.ben, () => world.ada.post(`/v1/users/${world.ben.id}/disable`))
  })

  test('the access token expired', async () => {
    await ending(world.ben, async () => world.clock.advance(3_600_000))
  })

  test('the sign-in ended', async () => {
    const sessionId = world.ctx.newId()
    const ben = { orgId, principalId: world.ben.id, kind: 'human', name: 'Ben', email: 'ben@example.com' } as const
    const subject = { ...ben, isAdmin: false, sessionId }
    const own = { token: await signAccessToken(world.ctx.keys.token, world.clock, subject) }
    await ending(own, () =>
      world.ctx.db
        .updateTable('principals')
        .set({ ended_sessions: [sessionId] })
        .where('id', '=', world.ben.id)
        .execute(),
    )
  })

  test('the API key revoked', async () => {
    const { id, key } = await madeKey(world.ben, { scopes: ['native:read'] })
    await ending({ token: key }, () => world.ben.delete(`${apiKeys}/${id}`))
  })

  test('the API key expired, or its agent must prove a key of its own', async () => {
    const { ctx } = world
    const expired = await madeKey(world.ben)
    await ending({ token: expired.key }, () =>
      ctx.db.updateTable('api_keys').set({ expires_at: ctx.clock.now() }).where('id', '=', expired.id).execute(),
    )
    const { key } = await madeKey(world.ada, { principalId: world.robot.id })
    await ending({ token: key }, () =>
      ctx.db.updateTable('principals').set({ dpop_required: true }).where('id', '=', world.robot.id).execute(),
    )
  })

  test('and is told no change that came after', async () => {
    await world.close()
    // Nobody sees to watchers but the news.
    await start({}, 3_600_000)
    const id = await world.opened()
    const stream = await watched(id)
    await stream.next()
    await world.ada.post(`/v1/users/${world.ben.id}/disable`)
    await world.vote(world.cleo, id, 'APPROVE')
    expect(await stream.next()).toBeNull()
  })
})

describe('GET /v1/workflows/{id}?wait=', () => {
  test('answers as GET /workflows/{id} does, at once without wait', async () => {
    const id = await world.opened()
    for (const query of ['', 'wait=0', 'include=workflow-template']) {
      const answer = await asked(id, query)
      expect([answer.status, answer.body]).toEqual([200, (await world.ben.get(`/workflows/${id}?${query}`)).body])
    }
  })

  test('answers as soon as the workflow is decided', async () => {
    const id = await world.opened()
    const answer = asked(id, 'wait=60&include=workflow-template')
    await untilWatching(1)
    await world.vote(world.cleo, id, 'APPROVE')
    expect((await answer).body).toEqual((await world.ben.get(`/workflows/${id}?include=workflow-template`)).body)
    expect((await answer).body.status).toBe('APPROVED')
    await untilWatching(0)
  })

  test('answers with the workflow as it is when the time is over', async () => {
    const answer = await asked(await world.opened(), 'wait=1')
    expect([answer.status, answer.body.status]).toEqual([200, open])
    await untilWatching(0)
  })

  test('a rejection answers; who has seen it waits for the next change', async () => {
    const id = await world.opened()
    await world.vote(world.cleo, id, 'VETO')
    expect((await asked(id, 'wait=60')).body.status).toBe('REJECTED')
    const next = asked(id, 'wait=60&since=REJECTED')
    await untilWatching(1)
    await world.vote(world.cleo, id, 'WITHDRAW')
    expect((await next).body.status).toBe(open)
  })

  test('what nothing can change any more is answered at once, whatever was seen', async () => {
    const approved = await world.opened()
    await world.vote(world.cleo, approved, 'APPROVE')
    expect((await asked(approved, 'wait=60&since=APPROVED')).body.status).toBe('APPROVED')
    const rejected = await world.opened({ options: { veto: 'final' } })
    await world.vote(world.cleo, rejected, 'VETO')
    expect((await asked(rejected, 'wait=60&since=REJECTED')).body.status).toBe('REJECTED')
  })

  test('who hangs up is waiting no longer', async () => {
    const hangUp = new AbortController()
    const headers = { authorization: `Bearer ${world.ben.token}` }
    const answer = fetch(`${origin}/v1/workflows/${await world.opened()}?wait=60`, { headers, signal: hangUp.signal })
    await untilWatching(1)
    hangUp.abort()
    await expect(answer).rejects.toThrow('abort')
    await untilWatching(0)
  })

  test('who was disabled while they waited is told so', async () => {
    const answer = asked(await world.opened(), 'wait=60')
    await untilWatching(1)
    await world.ada.post(`/v1/users/${world.ben.id}/disable`)
    expect(await answer).toMatchObject({ status: 401, body: { code: 'USER_NOT_FOUND' } })
  })

  refusals('GET /v1/workflows/{id}', () => world, [
    ['a wait that is no number', 400, 'MALFORMED_REQUEST', 'wait', () => () => asked(nowhere, 'wait=soon')],
    ['a wait that is too long', 400, 'MALFORMED_REQUEST', 'wait', () => () => asked(nowhere, 'wait=61')],
    ['a negative wait', 400, 'MALFORMED_REQUEST', 'wait', () => () => asked(nowhere, 'wait=-1')],
    ['two waits', 400, 'MALFORMED_REQUEST', 'wait', () => () => asked(nowhere, 'wait=1&wait=2')],
    ['a status that there is not', 400, 'MALFORMED_REQUEST', 'since', () => () => asked(nowhere, 'since=DONE')],
    [
      'an include that there is not',
      400,
      'REQUEST_INVALID_INCLUDE',
      'include',
      () => () => asked(nowhere, 'include=x'),
    ],
    ['no such workflow', 404, 'WORKFLOW_NOT_FOUND', undefined, () => () => asked(nowhere, 'wait=60')],
    ['no token', 401, 'MISSING_JWT_TOKEN', undefined, () => () => asked(nowhere, '', world.anyone)],
  ])

  refusals('GET /v1/workflows/{id}/events', () => world, [
    [
      'no such workflow',
      404,
      'WORKFLOW_NOT_FOUND',
      undefined,
      () => () => world.ben.get(`/v1/workflows/${nowhere}/events`),
    ],
    ['no token', 401, 'MISSING_JWT_TOKEN', undefined, () => () => world.anyone.get(`/v1/workflows/${nowhere}/events`)],
    [
      'a key that may not read',
      403,
      'API_KEY_SCOPE_MISSING',
      undefined,
      async () => {
        const { key } = await madeKey(world.ben, { scopes: ['native:write'] })
        return () => world.anyone.get(`/v1/workflows/${nowhere}/events`, undefined, { authorization: `Bearer ${key}` })
      },
    ],
  ])
})

describe('watchers are bounded', () => {
  test('429 TOO_MANY_REQUESTS: over the limit of a caller, until one of theirs ends', async () => {
    await world.close()
    await start({ QUORATE_WATCHERS_PER_CALLER: '2' })
    const id = await world.opened()
    const { key } = await madeKey(world.ben)
    const first = await watched(id)
    const second = asked(id, 'wait=60')
    await untilWatching(2)
    expect(await asked(id, 'wait=60')).toMatchObject({ status: 429, body: { code: 'TOO_MANY_REQUESTS' } })
    expect((await watched(id)).status).toBe(429)
    // A key acts for its principal.
    expect((await watched(id, { token: key })).status).toBe(429)
    expect((await watched(id, world.cleo)).status).toBe(200)
    first.close()
    await untilWatching(2)
    expect((await watched(id)).status).toBe(200)
    await world.vote(world.cleo, id, 'APPROVE')
    await second
  })

  test('429 TOO_MANY_REQUESTS: over the limit of the process', async () => {
    await world.close()
    await start({ QUORATE_WATCHERS: '1' })
    const id = await world.opened()
    await watched(id)
    expect((await watched(id, world.cleo)).status).toBe(429)
  })
})

test('a server that stops ends every stream and answers every wait at once', async () => {
  const id = await world.opened()
  const stream = await watched(id)
  await stream.next()
  const answer = fetch(`${origin}/v1/workflows/${id}?wait=60`, {
    headers: { authorization: `Bearer ${world.ben.token}` },
  })
  await untilWatching(2)
  await world.app.close()
  expect(await stream.next()).toBeNull()
  expect(await (await answer).json()).toMatchObject({ status: open })
})

test('who begins to watch while the server stops is told how it is, and no more', async () => {
  const id = await world.opened()
  world.ctx.notices.dismiss()
  const stream = await watched(id)
  expect([await nextStatus(stream), await stream.next()]).toEqual([open, null])
  expect((await asked(id, 'wait=60')).body.status).toBe(open)
})

test('many watch many workflows, and each hears of theirs', async () => {
  const template = await world.made({ approvalRule: world.rule() })
  const person = { id: world.ada.id, kind: 'human', personId: world.ctx.newId() } as const
  const ids = await insertRequests(world.ctx, template.id, person, 60)
  const watching = await Promise.all(ids.map((id) => watched(id)))
  for (const stream of watching) await stream.next()
  await Promise.all(ids.map((id, n) => world.vote(world.cleo, id, n % 2 === 0 ? 'APPROVE' : 'VETO')))
  const told = await Promise.all(watching.map((stream) => stream.next()))
  expect(told.map((event) => event?.data)).toEqual(ids.map((workflowId) => expect.objectContaining({ workflowId })))
  expect(told.map((event) => event?.id)).toEqual(ids.map((_, n) => (n % 2 === 0 ? 'APPROVED' : 'REJECTED')))
})
