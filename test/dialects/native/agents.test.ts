import { createPrivateKey, createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  agent,
  callerCases,
  ghost,
  leavesOf,
  madeId,
  quota,
  table,
  template,
  unknownId,
  type Case,
} from '../../helpers/directory.ts'
import { startWorld, type Answer, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'cleo' | 'bot'

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Client>
let registered: Answer
const ids = { space: '', target: '' }
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Client> })

beforeAll(async () => {
  world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const cleo = await world.person('Cleo')
  cast = { ada, ben, cleo, bot: await agent(world, 'bot', ben), gone: await ghost(world) }
  ids.space = madeId(await ben.post('/spaces', { name: 'Bens' }))
  await template(world, 'Release', ids.space)
  ids.target = (await agent(world, 'target', ben)).id
  registered = await ben.post('/agents/register', { agentName: 'Release bot / 1' }, { 'idempotency-key': 'once' })
})
afterAll(() => world.close())

table<Who>('GET /agents', setting, [
  {
    name: 'everyone may; oldest first',
    as: 'bot',
    path: () => '/agents?page=1&limit=1',
    status: 200,
    check: (answer) =>
      expect(answer.body).toEqual({
        agents: [{ id: cast.bot.id, name: 'bot' }],
        pagination: { total: 3, page: 1, limit: 1 },
      }),
  },
  {
    name: 'a large limit is capped',
    as: 'ben',
    path: () => '/agents?page=9007199254740991&limit=99999999999999999999',
    status: 200,
    check: (answer) => expect(answer.body).toMatchObject({ agents: [], pagination: { limit: 1000 } }),
  },
  ...callerCases<Who>(() => '/agents?page=0', 'nobody', 'gone'),
  ...(
    [
      ['page=0', 'INVALID_PAGE', 'page'],
      ['page=two', 'INVALID_PAGE', 'page'],
      ['limit=0', 'INVALID_LIMIT', 'limit'],
      ['limit=1e3', 'INVALID_LIMIT', 'limit'],
    ] as const
  ).map(([query, code, field]): Case<Who> => ({
    name: query,
    as: 'ben',
    path: () => `/agents?${query}`,
    status: 400,
    code,
    field,
  })),
])

const register = () => '/agents/register'

describe('POST /agents/register', () => {
  test('POST /agents/register 201: by a plain member, with a key pair of 4096 bits that is theirs alone', async () => {
    expect(registered).toMatchObject({ status: 201, body: { agentName: 'Release bot / 1' } })
    const { agentId, publicKey, privateKey, createdAt } = registered.body
    expect(createdAt).toBe('2026-11-21T12:00:00.000Z')
    expect(registered.headers['location']).toBe(`http://localhost:80/agents/${agentId}`)
    const publicPem = Buffer.from(publicKey, 'base64').toString()
    const privatePem = Buffer.from(privateKey, 'base64').toString()
    expect(publicPem).toMatch(/^-----BEGIN PUBLIC KEY-----/)
    expect(privatePem).toMatch(/^-----BEGIN PRIVATE KEY-----/)
    expect(createPublicKey(publicPem).asymmetricKeyDetails?.modulusLength).toBe(4096)
    expect(createPublicKey(createPrivateKey(privatePem)).export({ type: 'spki', format: 'pem' })).toBe(publicPem)
    expect(await leavesOf(world, agentId)).toEqual(['agent.registered'])
  })

  test('keeps the public key, and no private key in a readable form anywhere', async () => {
    const { agentId, publicKey, privateKey } = registered.body
    const row = await world.ctx.db
      .selectFrom('principals')
      .selectAll()
      .where('id', '=', agentId)
      .executeTakeFirstOrThrow()
    expect(Buffer.from(row.public_key ?? '').toString('base64')).toBe(publicKey)
    const secret = Buffer.from(privateKey, 'base64').toString().split('\n')[5] ?? ''
    const leaves = await world.ctx.db.selectFrom('audit_leaves').selectAll().execute()
    const answers = await world.ctx.db.selectFrom('idempotency_keys').selectAll().execute()
    expect(answers).toHaveLength(1)
    const stored =
      JSON.stringify([row, leaves]) + answers.map((kept) => Buffer.from(kept.answer ?? []).toString('latin1'))
    expect(stored).not.toContain(secret)
  })

  test('is answered for by the person who registered it', async () => {
    const rows = await world.ctx.db
      .selectFrom('principals')
      .select('person_id')
      .where('id', 'in', [registered.body.agentId, cast.ben.id])
      .execute()
    expect(rows[0]?.person_id).toBe(rows[1]?.person_id)
  })

  test('gives the same pair again under the same Idempotency-Key, and refuses the key for another call', async () => {
    const again = await cast.ben.post(register(), { agentName: 'Release bot / 1' }, { 'idempotency-key': 'once' })
    expect(again).toMatchObject({ status: 201, body: registered.body })
    expect(again.headers['location']).toBe(registered.headers['location'])
    const other = await cast.ben.post(register(), { agentName: 'other' }, { 'idempotency-key': 'once' })
    expect(other).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } })
  })
})

table<Who>('POST /agents/register', setting, [
  ...callerCases<Who>(register, 'nobody', 'gone'),
  ...(
    [
      ['no body', undefined, 'AGENT_NAME_EMPTY', 'agentName'],
      ['no name', {}, 'AGENT_NAME_EMPTY', 'agentName'],
      ['an empty name', { agentName: '' }, 'AGENT_NAME_EMPTY', 'agentName'],
      ['a blank name', { agentName: ' \n' }, 'AGENT_NAME_EMPTY', 'agentName'],
      ['1025 characters', { agentName: 'x'.repeat(1025) }, 'AGENT_NAME_TOO_LONG', 'agentName'],
      ['an id', { agentName: unknownId.toUpperCase() }, 'AGENT_NAME_CANNOT_BE_UUID', 'agentName'],
      ['a number', { agentName: 7 }, 'MALFORMED_REQUEST', 'agentName'],
      ['a list for a body', [], 'MALFORMED_REQUEST', undefined],
    ] as const
  ).map(([name, body, code, field]): Case<Who> => {
    return { name, as: 'bot', path: register, body: () => body, status: 400, code, ...(field && { field }) }
  }),
  {
    name: 'an agent calls',
    as: 'bot',
    path: register,
    body: () => ({ agentName: 'child' }),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  {
    name: 'a name that is taken',
    as: 'cleo',
    path: register,
    body: () => ({ agentName: 'bot' }),
    status: 409,
    code: 'AGENT_NAME_ALREADY_EXISTS',
  },
])

table<Who>('GET /agents/{agentIdOrName}', setting, [
  {
    name: 'by id',
    as: 'cleo',
    path: () => `/agents/${cast.bot.id}`,
    status: 200,
    check: (answer) =>
      expect(answer.body).toEqual({
        id: cast.bot.id,
        agentName: 'bot',
        publicKey: Buffer.from('PEM of bot').toString('base64'),
        createdAt: '2026-11-21T12:00:00.000Z',
        roles: [],
        concurrencyControl: { version: '1' },
      }),
  },
  {
    name: 'by name',
    as: 'bot',
    path: () => `/agents/${encodeURIComponent('Release bot / 1')}`,
    status: 200,
    check: (answer) => expect(answer.body.id).toBe(registered.body.agentId),
  },
  ...callerCases<Who>(() => '/agents/bot', 'nobody', 'gone'),
  { name: 'unknown id', as: 'ben', path: () => `/agents/${unknownId}`, status: 404, code: 'AGENT_NOT_FOUND' },
  { name: 'unknown name', as: 'ben', path: () => '/agents/BOT', status: 404, code: 'AGENT_NOT_FOUND' },
  { name: "a user's id", as: 'ben', path: () => `/agents/${cast.ben.id}`, status: 404, code: 'AGENT_NOT_FOUND' },
])

const target = () => `/agents/${ids.target}/roles`
const voter = { roleName: 'WorkflowTemplateVoter', scope: { type: 'workflow_template', templateName: 'Release' } }
const lister = () => ({ roleName: 'WorkflowList', scope: { type: 'space', spaceId: ids.space } })
const everywhere = { roleName: 'WorkflowList', scope: { type: 'org' } }

for (const method of ['PUT', 'DELETE'] as const) {
  const some = () => ({ roles: [voter] })
  table<Who>(`${method} /agents/{agentId}/roles`, setting, [
    { name: 'an admin', as: 'ada', path: target, body: some, status: 204 },
    { name: 'who manages the space', as: 'ben', path: target, body: () => ({ roles: [voter, lister()] }), status: 204 },
    ...callerCases<Who>(target, 'nobody', 'gone'),
    ...(
      [
        ['no body', undefined, 'MALFORMED_OBJECT', undefined],
        ['no roles', {}, 'MISSING_ROLES', 'roles'],
        ['an empty list', { roles: [] }, 'INVALID_ROLES', 'roles'],
        ['129 items', { roles: Array(129).fill(everywhere) }, 'ROLE_ASSIGNMENTS_EXCEED_MAXIMUM', 'roles'],
        ['a bad version', { roles: [voter], concurrencyControl: {} }, 'INVALID_CONCURRENCY_CONTROL', undefined],
        [
          'another role',
          { roles: [{ roleName: 'King', scope: { type: 'org' } }] },
          'ROLE_UNKNOWN_ROLE_NAME',
          'roles[0].roleName',
        ],
        [
          'a role for people',
          { roles: [everywhere, { roleName: 'SpaceReadOnly', scope: { type: 'org' } }] },
          'ROLE_ENTITY_TYPE_ROLE_RESTRICTION',
          'roles[1].roleName',
        ],
        [
          'a scope that does not fit',
          { roles: [{ roleName: 'WorkflowList', scope: { type: 'group', groupId: unknownId } }] },
          'ROLE_SCOPE_INCOMPATIBLE_WITH_TEMPLATE',
          'roles[0].scope.type',
        ],
        [
          'another scope type',
          { roles: [{ roleName: 'WorkflowList', scope: { type: 'world' } }] },
          'ROLE_INVALID_SCOPE',
          'roles[0].scope.type',
        ],
        [
          'a template that is not there',
          { roles: [{ roleName: 'WorkflowList', scope: { type: 'workflow_template', templateName: 'Nope' } }] },
          'WORKFLOW_TEMPLATE_NOT_FOUND',
          'roles[0].scope',
        ],
      ] as const
    ).map(([name, body, code, field]): Case<Who> => {
      return { name, as: 'cleo', path: target, body: () => body, status: 400, code, ...(field && { field }) }
    }),
    ...(['cleo', 'bot'] as const).map((as): Case<Who> => {
      return { name: `${as} calls`, as, path: target, body: some, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' }
    }),
    {
      name: 'who manages the space, for the organization',
      as: 'ben',
      path: target,
      body: () => ({ roles: [everywhere] }),
      status: 403,
      code: 'REQUESTOR_NOT_AUTHORIZED',
    },
    ...(
      [
        ['unknown id', () => unknownId],
        ['a name', () => 'target'],
        ["a user's id", () => cast.ben.id],
      ] as const
    ).map(([name, id]): Case<Who> => {
      return { name, as: 'ada', path: () => `/agents/${id()}/roles`, body: some, status: 404, code: 'AGENT_NOT_FOUND' }
    }),
    {
      name: 'a version that is gone',
      as: 'ada',
      path: target,
      body: () => ({ ...some(), concurrencyControl: { version: '999' } }),
      status: 409,
      code: 'CONCURRENT_MODIFICATION_ERROR',
    },
  ])
}

test("an agent's roles are replaced under the version that GET shows, and removed again", async () => {
  const read = async () => (await cast.ben.get('/agents/target')).body
  await cast.ada.put(target(), { roles: [everywhere] })
  const { concurrencyControl } = await read()
  expect(await cast.ada.put(target(), { roles: [voter, lister()], concurrencyControl })).toMatchObject({ status: 204 })
  expect((await read()).roles).toEqual([lister(), voter])
  expect((await leavesOf(world, ids.target)).slice(-2)).toEqual(['roles.removed', 'roles.assigned'])
  const stale = await cast.ada.delete(target(), { roles: [voter], concurrencyControl })
  expect(stale).toMatchObject({ status: 409, body: { code: 'CONCURRENT_MODIFICATION_ERROR' } })
  await cast.ada.delete(target(), { roles: [voter, everywhere] })
  expect((await read()).roles).toEqual([lister()])
})

test('PUT /agents/{agentId}/roles 403 QUOTA_EXCEEDED: more roles than the quota', async () => {
  const drop = await quota(world, 'MAX_ROLES_PER_USER', 1)
  const answer = await cast.ada.put(target(), { roles: [voter, lister()] })
  expect(answer).toMatchObject({ status: 403, body: { code: 'QUOTA_EXCEEDED' } })
  await drop()
})
