import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engine, startAccessScene, type AccessScene } from '../../helpers/access.ts'
import type { Client } from '../../helpers/world.ts'

/** The calls of both vendor SDKs, to the member and the header, as they were recorded (contract privx §1.1). */
let scene: AccessScene
beforeAll(async () => void (scene = await startAccessScene()))
afterAll(() => scene[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }

/** A call exactly as it is: with these headers and this text, or none. */
async function send(
  client: Client,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  headers: object = {},
  payload?: string,
) {
  const authorization = `Bearer ${client.token}`
  const sent = { method, url, headers: { authorization, ...headers }, ...(payload !== undefined && { payload }) }
  const answer = await scene.world.app.inject(sent)
  return {
    status: answer.statusCode,
    type: answer.headers['content-type'],
    text: answer.body,
    body: JSON.parse(answer.body),
  }
}

const goWorkflow = () => ({
  id: '',
  author: '',
  created: '',
  updated: '',
  updated_by: '',
  name: 'Go workflow',
  grant_types: ['PERMANENT'],
  max_time_restricted_duration: 0,
  max_floating_duration: 0,
  max_active_requests: 0,
  target_roles: [{ id: scene.roles.target, name: '' }],
  requester_roles: [],
  action: 'GRANT',
  can_bypass_revoke_workflow: false,
  requires_justification: false,
  comment: '',
  steps: [
    {
      id: '',
      name: 'first',
      match: 'ANY',
      approvers: [
        { id: '', role: { id: scene.roles.first, name: '' }, decision: '', user: { id: '', display_name: '' } },
      ],
    },
  ],
})

const goRequest = () => ({
  id: '',
  author: '',
  created: '',
  updated: '',
  updated_by: '',
  name: '',
  requested_role: { id: scene.roles.target, name: '', deleted: false },
  target_user: { id: scene.ben.id, deleted: false },
  action: 'GRANT',
  request_justification: '',
  approver_can_revoke: false,
  target_role_revoked: false,
})

it('a workflow and a request go their whole way as the Go SDK sends them', async () => {
  const { ada, ben, cleo } = scene
  const made = await send(ada, 'POST', `${engine}/workflows?`, json, JSON.stringify(goWorkflow()))
  expect([made.status, Object.keys(made.body)]).toEqual([201, ['id']])
  const read = await send(ada, 'GET', `${engine}/workflows/${made.body.id}?`)
  expect(read.body).toMatchObject({ author: ada.id, max_active_requests: 1, requester_roles: [] })
  const changed = { ...goWorkflow(), ...read.body, name: 'Go workflow, changed', can_bypass_revoke_workflow: true }
  expect((await send(ada, 'PUT', `${engine}/workflows/${made.body.id}`, json, JSON.stringify(changed))).status).toBe(
    200,
  )

  const asked = await send(ben, 'POST', `${engine}/requests?`, json, JSON.stringify(goRequest()))
  expect(asked.status).toBe(201)
  const queue = await send(
    cleo,
    'GET',
    `${engine}/requests?filter=active_approvals&limit=50&offset=0&sortdir=ASC&sortkey=created`,
  )
  expect([queue.status, queue.body.count, queue.body.items[0].id]).toEqual([200, 1, asked.body.id])
  const found = await send(ada, 'POST', `${engine}/requests/search?filter=all`, json, '{"filter":"","keywords":"ben"}')
  expect(found.body.count).toBe(1)

  const decision = JSON.stringify({ step: 0, decision: 'APPROVED', comment: '' })
  expect((await send(cleo, 'POST', `${engine}/requests/${asked.body.id}/decision`, json, decision)).status).toBe(200)
  // No Content-Type, Content-Length 0.
  const revoked = await send(cleo, 'POST', `${engine}/requests/${asked.body.id}/role/revoke`, { 'content-length': '0' })
  expect(revoked.status).toBe(200)
  expect((await send(ada, 'DELETE', `${engine}/requests/${asked.body.id}`)).status).toBe(200)
  expect((await send(ada, 'DELETE', `${engine}/workflows/${made.body.id}`)).status).toBe(200)
})

it('the same as the Python SDK sends it: a Content-Type on every call, with a body or without', async () => {
  const { ada, ben, cleo } = scene
  const workflow = {
    name: 'Python workflow',
    action: 'BOTH',
    target_roles: [{ id: scene.roles.target }],
    can_bypass_revoke_workflow: true,
    steps: [{ name: 'one', match: 'ALL', approvers: [{ role: { id: scene.roles.first } }] }],
  }
  const made = await send(ada, 'POST', `${engine}/workflows`, json, JSON.stringify(workflow))
  expect(made.status).toBe(201)
  expect((await send(ada, 'GET', `${engine}/workflows?offset=0&limit=50`, json)).body.count).toBe(1)
  expect((await send(ada, 'GET', `${engine}/workflows/${made.body.id}`, json)).status).toBe(200)
  expect((await send(ada, 'GET', `${engine}/settings`, json)).status).toBe(200)

  const question = { requested_role: { id: scene.roles.target }, target_user: { id: ben.id }, comment: 'please' }
  const asked = await send(ben, 'POST', `${engine}/requests?offset=0&limit=50`, json, JSON.stringify(question))
  expect(asked.status).toBe(201)
  const found = await send(ada, 'POST', `${engine}/requests/search?offset=0&limit=50&filter=all`, json, '{}')
  expect(found.body.items.map(({ id }: { id: string }) => id)).toEqual([asked.body.id])
  const decision = JSON.stringify({ step: 0, decision: 'APPROVED' })
  expect((await send(cleo, 'POST', `${engine}/requests/${asked.body.id}/decision`, json, decision)).status).toBe(200)
  const empty = { ...json, 'content-length': '0' }
  expect((await send(cleo, 'POST', `${engine}/requests/${asked.body.id}/role/revoke`, empty)).status).toBe(200)
  expect((await send(ada, 'DELETE', `${engine}/requests/${asked.body.id}`, json)).status).toBe(200)
  expect((await send(ada, 'DELETE', `${engine}/workflows/${made.body.id}`, json)).status).toBe(200)
})

describe('every answer', () => {
  it('of a call that the Go SDK parses is JSON of the type that it decodes into', async () => {
    const { body: workflow } = await send(scene.ada, 'POST', `${engine}/workflows`, json, JSON.stringify(goWorkflow()))
    const { body: asked } = await send(scene.ben, 'POST', `${engine}/requests`, json, JSON.stringify(goRequest()))
    for (const url of [
      'workflows',
      'workflows/roles',
      'requests?filter=all',
      `workflows/${workflow.id}`,
      `requests/${asked.id}`,
    ]) {
      const { status, type } = await send(scene.ada, 'GET', `${engine}/${url}`)
      expect([url, status, type]).toEqual([url, 200, 'application/json; charset=utf-8'])
    }
    const { text } = await send(scene.ada, 'GET', `${engine}/workflows/${workflow.id}`)
    // An int64 of Go takes no fraction.
    expect(text).toMatch(/"max_floating_duration":0[,}]/)
    const empty = await send(scene.eli, 'GET', `${engine}/requests?filter=requests`)
    expect(empty.body).toEqual({ count: 0, items: [] })
  })

  it('to a refused call is JSON in the words of this API', async () => {
    const refused = await send(scene.ben, 'GET', `${engine}/workflows`, json)
    expect([refused.status, refused.type]).toEqual([403, 'application/json; charset=utf-8'])
    expect(refused.body).toEqual({ error_code: 'PERMISSION_DENIED', error_message: expect.any(String) })
  })
})
