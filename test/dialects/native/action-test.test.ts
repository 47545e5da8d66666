import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { callerCases, ghost, table, unknownId, type Case } from '../../helpers/directory.ts'
import { startHttpSink, type HttpSink, type SinkAnswer } from '../../helpers/http-sink.ts'
import { bearing, madeKey, said } from '../../helpers/machine.ts'
import { startMailPeer, type MailPeer } from '../../helpers/mail-peer.ts'
import { giveRole, insertSpace } from '../../helpers/quorum.ts'
import { startTemplateWorld, type TemplateWorld } from '../../helpers/templates.ts'
import type { Client } from '../../helpers/world.ts'

type Who =
  | 'nobody'
  | 'gone'
  | 'ada'
  | 'ben'
  | 'robot'
  | 'writer'
  | 'spaceWriter'
  | 'spaceManager'
  | 'templateWriter'
  | 'writeKey'
  | 'readKey'
  | 'adminKey'

const path = '/v1/actions/test'
const foreignOrg = '01890000-0000-7000-8000-00000000000f'
const adminKey = 'an-admin-key-that-only-this-test-knows'
const hook = { type: 'WEBHOOK', url: 'https://hooks.example/in' }
const secretHook = {
  ...hook,
  url: 'https://hooks.example/in?token=hiddentoken',
  headers: { Authorization: 'Bearer hiddenbearer' },
  on: ['REJECTED', 'APPROVED'],
}

let sink: HttpSink
let peer: MailPeer
let answer: SinkAnswer
let world: TemplateWorld
let cast: Record<Exclude<Who, 'nobody'>, Omit<Client, 'id'>>
const ids = { template: '', elsewhere: '', foreign: '' }
let name = ''
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Omit<Client, 'id'>> })

beforeAll(async () => {
  sink = await startHttpSink((response, call) => answer(response, call))
  peer = await startMailPeer()
  const env = { QUORATE_ADMIN_KEY: adminKey, SMTP_URL: `smtp://127.0.0.1:${peer.port}`, QUORATE_WEBHOOK_TIMEOUT: '5' }
  world = await startTemplateWorld({ network: sink.network, env })
  const { ctx, ada, ben, robot, space } = world
  const withRole = async (person: string, role: string, scope?: Parameters<typeof giveRole>[3]) => {
    const client = await world.person(person)
    await giveRole(ctx, client.id, role, scope)
    return client
  }
  const made = await world.made({ actions: [hook, secretHook] })
  const elsewhere = await world.made({ spaceId: await insertSpace(ctx, 'Elsewhere'), actions: [hook] })
  Object.assign(ids, { template: made.id, elsewhere: elsewhere.id, foreign: await foreignTemplate(made.id) })
  name = made.name
  const inSpace = { type: 'space', id: space } as const
  cast = {
    ada,
    ben,
    robot,
    writer: await withRole('Writer', 'OrgWideWorkflowTemplateWrite'),
    spaceWriter: await withRole('SpaceWriter', 'SpaceWideWorkflowTemplateWrite', inSpace),
    spaceManager: await withRole('SpaceManager', 'SpaceManager', inSpace),
    templateWriter: await withRole('One', 'WorkflowTemplateWrite', { type: 'workflow_template', id: name }),
    writeKey: bearing(world, (await madeKey(ada)).key),
    readKey: bearing(world, (await madeKey(ada, { scopes: ['native:read'] })).key),
    adminKey: bearing(world, adminKey),
    gone: await ghost(world),
  }
})
afterAll(async () => {
  await world.close()
  await sink[Symbol.asyncDispose]()
  await peer[Symbol.asyncDispose]()
})

beforeEach(() => {
  sink.calls.length = 0
  peer.received.length = 0
  answer = (response) => response.end('thanks')
})

/** Another organization's copy of a template. */
async function foreignTemplate(id: string): Promise<string> {
  const { db, newId, clock } = world.ctx
  const at = clock.now()
  await db.insertInto('organizations').values({ id: foreignOrg, name: 'other', created_at: at }).execute()
  const { stages, options, rule, ...row } = await db
    .selectFrom('policies')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const [text, foreignId] = [JSON.stringify, newId()]
  await db
    .insertInto('policies')
    .values({
      ...row,
      org_id: foreignOrg,
      id: foreignId,
      space_id: null,
      name: 'Foreign',
      metadata: '{}',
      stages: text(stages),
      options: text(options),
      rule: text(rule),
    })
    .execute()
  return foreignId
}

const free = (as: Who, status: number, code?: string): Case<Who> => ({
  name: `an action that was sent along, ${as}`,
  as,
  path: () => path,
  body: () => ({ action: hook }),
  status,
  ...(code !== undefined && { code }),
})
const stored = (as: Who, source: () => object, what: string, status: number, code?: string): Case<Who> => ({
  name: `${what}, ${as}`,
  as,
  path: () => path,
  body: () => ({ index: 0, ...source() }),
  status,
  ...(code !== undefined && { code }),
})
const byId = () => ({ workflowTemplateId: ids.template.toUpperCase() })
const byName = () => ({ templateName: name })
const elsewhere = () => ({ workflowTemplateId: ids.elsewhere })
const denied = 'REQUESTOR_NOT_AUTHORIZED'
const missing = 'WORKFLOW_TEMPLATE_NOT_FOUND'

table<Who>('POST /v1/actions/test', setting, [
  ...callerCases<Who>(() => path, 'nobody', 'gone'),
  ...(['ada', 'writer', 'writeKey'] as const).map((as) => free(as, 200)),
  ...(['ben', 'robot', 'spaceWriter', 'spaceManager', 'templateWriter'] as const).map((as) => free(as, 403, denied)),
  free('readKey', 403, 'API_KEY_SCOPE_MISSING'),
  free('adminKey', 400, 'JWT_TOKEN_MALFORMED'),
  ...(['ada', 'writer', 'spaceWriter', 'spaceManager', 'templateWriter', 'writeKey'] as const).flatMap((as) => [
    stored(as, byId, 'one of a template by id', 200),
    stored(as, byName, 'one of a template by name', 200),
  ]),
  ...(['ben', 'robot'] as const).map((as) => stored(as, byId, 'one of a template', 403, denied)),
  ...(['spaceWriter', 'spaceManager', 'templateWriter'] as const).map((as) =>
    stored(as, elsewhere, 'one of a template in another space', 403, denied),
  ),
  stored('ben', () => ({ workflowTemplateId: unknownId }), 'an unknown template', 403, denied),
  stored('ada', () => ({ workflowTemplateId: unknownId }), 'an unknown template', 404, missing),
  stored('ada', () => ({ workflowTemplateId: ids.foreign }), "another organization's template", 404, missing),
  stored('ada', () => ({ templateName: 'Foreign' }), "another organization's template by name", 404, missing),
  stored('ada', () => ({ templateName: '' }), 'a template without a name', 404, missing),
])

const bad = (what: string, body: unknown, code: string, field?: string): Case<Who> => ({
  name: what,
  as: 'ada',
  path: () => path,
  body: () => body,
  status: 400,
  code,
  ...(field !== undefined && { field }),
})
const badAction = (what: string, members: object, code: string, field: string): Case<Who> =>
  bad(what, { action: { ...hook, ...members } }, code, `action${field}`)
const badIndex = (what: string, index: unknown): Case<Who> => ({
  ...bad(`index ${what}`, {}, 'ACTION_INDEX_INVALID', 'index'),
  body: () => ({ ...byId(), index }),
})

table<Who>('POST /v1/actions/test', setting, [
  bad('no body', undefined, 'MALFORMED_REQUEST'),
  bad('a list', [], 'MALFORMED_REQUEST'),
  bad('nothing named', {}, 'MALFORMED_REQUEST', 'action'),
  bad('two things named', { action: hook, templateName: 'T', index: 0 }, 'MALFORMED_REQUEST', 'templateName'),
  bad('a number for a name', { templateName: 1, index: 0 }, 'MALFORMED_REQUEST', 'templateName'),
  bad(
    'a number for an id',
    { workflowTemplateId: 1, index: 0 },
    'WORKFLOW_TEMPLATE_ID_NOT_STRING',
    'workflowTemplateId',
  ),
  bad(
    'a name for an id',
    { workflowTemplateId: 'T', index: 0 },
    'WORKFLOW_WORKFLOW_TEMPLATE_ID_INVALID_UUID',
    'workflowTemplateId',
  ),
  badIndex('missing', undefined),
  badIndex('null', null),
  badIndex('before the first', -1),
  badIndex('between two', 0.5),
  badIndex('as a text', '0'),
  badIndex('past the last', 2),
  bad('a text for an action', { action: 'WEBHOOK' }, 'WORKFLOW_ACTION_TYPE_INVALID', 'action'),
  bad('null for an action', { action: null }, 'WORKFLOW_ACTION_TYPE_INVALID', 'action'),
  badAction('an unknown type', { type: 'FAX' }, 'WORKFLOW_ACTION_TYPE_INVALID', '.type'),
  badAction('another scheme', { url: 'ftp://hooks.example' }, 'WORKFLOW_ACTION_URL_INVALID', '.url'),
  badAction('another method', { method: 'DELETE' }, 'WORKFLOW_ACTION_METHOD_INVALID', '.method'),
  badAction('a header of two lines', { headers: { A: 'b\r\nC: d' } }, 'WORKFLOW_ACTION_HEADERS_INVALID', '.headers.A'),
  badAction('redaction of nothing', { redact: 'NONE' }, 'WORKFLOW_ACTION_REDACT_INVALID', '.redact'),
  badAction('an unknown trigger', { on: ['OPENED'] }, 'WORKFLOW_ACTION_ON_INVALID', '.on'),
  badAction(
    'stars in a header',
    { headers: { Authorization: '***' } },
    'WORKFLOW_ACTION_HEADERS_INVALID',
    '.headers.Authorization',
  ),
  badAction('stars in the URL', { url: `${hook.url}?token=***` }, 'WORKFLOW_ACTION_URL_INVALID', '.url'),
  badAction('too much', { headers: { A: 'x'.repeat(65 * 1024) } }, 'MALFORMED_REQUEST', ''),
  bad(
    'stars for Slack',
    { action: { type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/***' } },
    'WORKFLOW_ACTION_WEBHOOK_URL_INVALID',
    'action.webhookUrl',
  ),
  bad(
    'nobody to write to',
    { action: { type: 'EMAIL', recipients: [] } },
    'WORKFLOW_ACTION_RECIPIENTS_EMPTY',
    'action.recipients',
  ),
])

const tested = async (action: object) => await cast.ada.post(path, { action })
const leaves = async () =>
  await world.ctx.db
    .selectFrom('audit_leaves')
    .select(['content', 'private', 'subject_id'])
    .where('kind', '=', 'action.tested')
    .orderBy('id', 'desc')
    .execute()

describe('a test of an action', () => {
  // A minute of its own, in which nobody has tested yet.
  beforeEach(() => world.clock.advance(60_000))

  it('calls a webhook as a decision would, marked and signed', async () => {
    const { status, body } = await tested(hook)
    expect([status, body]).toEqual([
      200,
      { status: 'COMPLETED', response: { status: 200, body: 'thanks', bodyState: 'OK' } },
    ])
    expect(sink.calls).toHaveLength(1)
    const [call] = sink.calls
    expect(JSON.parse(call?.body ?? '')).toEqual({
      workflowId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      workflowName: 'sample',
      status: 'APPROVED',
      occurredAt: world.clock.now().toISOString(),
      test: true,
    })
    expect(call?.headers['webhook-signature']).toMatch(/^v1,/)
  })

  it('tells of the first status that the action runs after', async () => {
    await cast.ada.post(path, { ...byId(), index: 1 })
    expect(JSON.parse(sink.calls[0]?.body ?? '')).toMatchObject({ status: 'REJECTED', test: true })
    expect(sink.calls[0]?.headers['authorization']).toBe('Bearer hiddenbearer')
  })

  it('writes an e-mail', async () => {
    const { body } = await tested({ type: 'EMAIL', recipients: ['ops@example.com'] })
    expect(body).toMatchObject({ status: 'COMPLETED', response: { status: 250, bodyState: 'OK' } })
    expect(peer.received.map(({ to }) => to)).toEqual([['ops@example.com']])
    expect(peer.received[0]?.raw).toContain('Subject: [Test] Workflow sample status update')
  })

  it('says why it failed, after one attempt', async () => {
    answer = (response) => response.writeHead(503).end('busy')
    expect((await tested(hook)).body).toEqual({
      status: 'ERROR',
      reason: 'hooks.example answered 503.',
      response: { status: 503, body: 'busy', bodyState: 'OK' },
    })
    expect(sink.calls).toHaveLength(1)
  })

  it('goes to no address that the guard refuses', async () => {
    const { body } = await tested({ ...hook, url: 'http://127.0.0.1:8080/' })
    expect(body).toEqual({ status: 'ERROR', reason: 'The address 127.0.0.1 is not allowed.' })
  })

  it('shows no secret of a template, whatever the receiver answers', async () => {
    answer = (response) => response.end(JSON.stringify(sink.calls))
    const { body } = await cast.spaceWriter.post(path, { ...byId(), index: 1 })
    expect(body.response.body).toContain('"url":"/in?token=***"')
    expect(JSON.stringify(body)).not.toContain('hidden')
  })

  it('is kept as no delivery, and leaves a leaf that commits to its destination', async () => {
    await cast.ada.post(path, { ...byId(), index: 1 })
    expect(await world.ctx.db.selectFrom('deliveries').select('id').execute()).toEqual([])
    const [leaf] = await leaves()
    expect(leaf?.subject_id).toBe(sink.calls[0]?.headers['webhook-id'])
    expect(JSON.parse(leaf?.content ?? '')).toMatchObject({
      actor: { kind: 'human', id: world.ada.id },
      facts: { action: 'WEBHOOK', policy: ids.template, place: 1 },
      committed: { destination: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    expect(leaf?.content).not.toContain('hooks.example')
    expect(leaf?.private).toMatchObject({ destination: { text: 'hooks.example' } })
  })

  it('is sent once, however often it is asked for under one Idempotency-Key', async () => {
    const once = { 'idempotency-key': world.ctx.newId() }
    const first = await cast.ada.post(path, { action: hook }, once)
    const again = await cast.ada.post(path, { action: hook }, once)
    expect(again).toMatchObject({ status: 200, body: first.body })
    expect(sink.calls).toHaveLength(1)
    const other = { action: { type: 'EMAIL', recipients: ['ops@example.com'] } }
    expect(said(await cast.ada.post(path, other, once))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
  })

  it('can be asked for ten times a minute by one caller', async () => {
    for (let count = 1; count <= 10; count++) expect((await tested(hook)).status).toBe(200)
    const before = (await leaves()).length
    expect(said(await tested(hook))).toEqual([429, 'TOO_MANY_REQUESTS'])
    expect(sink.calls).toHaveLength(10)
    expect(await leaves()).toHaveLength(before)
    expect((await cast.writer.post(path, { action: hook })).status).toBe(200)
    world.clock.advance(60_000)
    expect((await tested(hook)).status).toBe(200)
  })

  it('is one of five at once, and of five again when those have ended', async () => {
    const held: (() => void)[] = []
    answer = (response) => void held.push(() => response.end())
    const five = [cast.ada, cast.ada, cast.writer, cast.writer, cast.writeKey].map((client) =>
      client.post(path, { action: hook }),
    )
    await expect.poll(() => held.length).toBe(5)
    expect(said(await cast.writeKey.post(path, { action: hook }))).toEqual([429, 'TOO_MANY_REQUESTS'])
    for (const release of held) release()
    expect((await Promise.all(five)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    answer = (response) => response.end()
    expect((await cast.writeKey.post(path, { action: hook })).status).toBe(200)
  })
})
