import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agent, callerCases, ghost, leavesOf, madeId, table, unknownId, type Case } from '../../helpers/directory.ts'
import { apiKeys, bearing, madeKey, said } from '../../helpers/machine.ts'
import { startWorld, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'cleo' | 'bot' | 'benKey' | 'adminKey'

const adminKey = 'an-admin-key-that-only-this-test-knows'
const foreignOrg = '01890000-0000-7000-8000-00000000000f'

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Omit<Client, 'id'>>
const ids = { ada: '', ben: '', cleo: '', bot: '', disabled: '', bensKey: '', botKey: '', cleosKey: '', foreign: '' }
const foreignPrincipal = '01890000-0000-7000-8000-0000000000f1'
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Omit<Client, 'id'>> })

beforeAll(async () => {
  world = await startWorld({ env: { QUORATE_ADMIN_KEY: adminKey } })
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const cleo = await world.person('Cleo')
  const bot = await agent(world, 'bot', ben)
  const disabled = await agent(world, 'disabled', ben)
  await world.ctx.db.updateTable('principals').set({ disabled_at: new Date() }).where('id', '=', disabled.id).execute()
  Object.assign(ids, { ada: ada.id, ben: ben.id, cleo: cleo.id, bot: bot.id, disabled: disabled.id })
  const benKey = await madeKey(ben)
  ids.bensKey = benKey.id
  world.clock.advance(1)
  ids.botKey = (await madeKey(ben, { principalId: bot.id, name: "Bot's" })).id
  world.clock.advance(1)
  ids.cleosKey = (await madeKey(cleo)).id
  ids.foreign = await foreignKey()
  const machines = { benKey: bearing(world, benKey.key), adminKey: bearing(world, adminKey) }
  cast = { ada, ben, cleo, bot, ...machines, gone: await ghost(world) }
})
afterAll(() => world.close())

/** A key of an agent of another organization. */
async function foreignKey(): Promise<string> {
  const at = world.clock.now()
  const { db } = world.ctx
  const id = world.ctx.newId()
  await db.insertInto('organizations').values({ id: foreignOrg, name: 'other', created_at: at }).execute()
  const principal = { org_id: foreignOrg, id: foreignPrincipal, kind: 'agent', name: 'theirs', created_at: at } as const
  await db.insertInto('principals').values(principal).execute()
  const row = { org_id: foreignOrg, id, principal_id: foreignPrincipal, created_by: foreignPrincipal, name: 'x' }
  await db
    .insertInto('api_keys')
    .values({ ...row, secret_hash: 'x', hint: 'x', scopes: [], expires_at: at, created_at: at })
    .execute()
  return id
}

const body = (members: object = {}) => ({ name: 'CI', scopes: ['native:read'], ...members })
const inDays = (days: number) => new Date(world.clock.now().getTime() + days * 86_400_000).toISOString()
const bad = (name: string, members: () => object, code: string, field: string): Case<Who> => ({
  name,
  as: 'ben',
  path: () => apiKeys,
  body: () => body(members()),
  status: 400,
  code,
  field,
})
const refused = (name: string, as: Who, principalId: () => string, status: number, code: string): Case<Who> => ({
  name,
  as,
  path: () => apiKeys,
  body: () => body({ principalId: principalId() }),
  status,
  code,
})
const allowed = (name: string, as: Who, principalId: () => string): Case<Who> => ({
  name,
  as,
  path: () => apiKeys,
  body: () => body({ principalId: principalId() }),
  status: 201,
  check: (answer) => expect(answer.body.principalId).toBe(principalId()),
})

table<Who>('POST /v1/api-keys', setting, [
  {
    name: 'a person for themselves, by default for 90 days',
    as: 'ben',
    path: () => apiKeys,
    body: () => body({ scopes: ['native:read', 'native:write', 'privx', 'fortanix', 'govern'] }),
    status: 201,
    check: async (answer) => {
      const { id, key, hint } = answer.body
      expect(answer.body).toEqual({
        id: madeId(answer),
        name: 'CI',
        principalId: ids.ben,
        scopes: ['native:read', 'native:write', 'privx', 'fortanix', 'govern'],
        hint: key.slice(-4),
        createdBy: ids.ben,
        createdAt: world.clock.now().toISOString(),
        expiresAt: inDays(90),
        key: expect.stringMatching(/^qk_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/),
      })
      expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' })
      expect(answer.headers['location']).toBe(`http://localhost:80/v1/api-keys/${id}`)
      expect(JSON.stringify((await cast.ben.get(`${apiKeys}/${id}`)).body)).not.toContain(key)
      expect(hint).toHaveLength(4)
      expect(await leavesOf(world, id)).toEqual(['api-key.created'])
    },
  },
  allowed('who answers for an agent', 'ben', () => ids.bot),
  allowed('an organization admin for an agent', 'ada', () => ids.bot),
  refused(
    'the admin key for an agent, as which it would vote',
    'adminKey',
    () => ids.bot,
    403,
    'REQUESTOR_NOT_AUTHORIZED',
  ),
  refused(
    'an admin for another person, in whose name it would vote',
    'ada',
    () => ids.ben,
    403,
    'REQUESTOR_NOT_AUTHORIZED',
  ),
  refused('the admin key for a person', 'adminKey', () => ids.ben, 403, 'REQUESTOR_NOT_AUTHORIZED'),
  refused("someone else's agent", 'cleo', () => ids.bot, 403, 'REQUESTOR_NOT_AUTHORIZED'),
  refused('another person', 'cleo', () => ids.ben, 403, 'REQUESTOR_NOT_AUTHORIZED'),
  refused('nobody of this id, to who may not ask', 'cleo', () => unknownId, 403, 'REQUESTOR_NOT_AUTHORIZED'),
  refused(
    'a principal of another organization, likewise',
    'cleo',
    () => foreignPrincipal,
    403,
    'REQUESTOR_NOT_AUTHORIZED',
  ),
  refused('an agent for itself', 'bot', () => ids.bot, 403, 'REQUESTOR_NOT_AUTHORIZED'),
  refused('an API key for its own principal', 'benKey', () => ids.ben, 403, 'REQUESTOR_NOT_AUTHORIZED'),
  refused('nobody of this id', 'ada', () => unknownId, 400, 'PRINCIPAL_NOT_FOUND'),
  refused('a principal of another organization', 'ada', () => foreignPrincipal, 400, 'PRINCIPAL_NOT_FOUND'),
  refused('an agent that is disabled', 'ada', () => ids.disabled, 400, 'PRINCIPAL_NOT_FOUND'),
  {
    name: 'the admin key, for itself',
    as: 'adminKey',
    path: () => apiKeys,
    body,
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  { name: 'no body', as: 'ben', path: () => apiKeys, status: 400, code: 'MALFORMED_REQUEST' },
  bad('no name', () => ({ name: undefined }), 'API_KEY_NAME_EMPTY', 'name'),
  bad('a blank name', () => ({ name: ' ' }), 'API_KEY_NAME_EMPTY', 'name'),
  bad('a long name', () => ({ name: 'x'.repeat(256) }), 'API_KEY_NAME_TOO_LONG', 'name'),
  bad('a name that is no text', () => ({ name: 7 }), 'MALFORMED_REQUEST', 'name'),
  bad('a principal that is no id', () => ({ principalId: 'bot' }), 'API_KEY_PRINCIPAL_ID_INVALID', 'principalId'),
  ...[undefined, [], 'native:read', ['native:read', 'native:read'], ['native'], [['native:read']], [null]].map(
    (scopes) => bad(`scopes ${JSON.stringify(scopes)}`, () => ({ scopes }), 'API_KEY_SCOPES_INVALID', 'scopes'),
  ),
  ...[
    7,
    '',
    'tomorrow',
    '2026-12-01',
    '2026-12-01T00:00:00',
    '2026-13-01T00:00:00Z',
    '0000-01-01T00:00:00+10:00',
    '9999-12-31T23:59:59-10:00',
  ].map((expiresAt) => bad(`expiresAt ${expiresAt}`, () => ({ expiresAt }), 'API_KEY_EXPIRES_AT_INVALID', 'expiresAt')),
  bad('an expiry that is now', () => ({ expiresAt: inDays(0) }), 'API_KEY_EXPIRES_AT_INVALID', 'expiresAt'),
  bad(
    'an expiry past 365 days',
    () => ({ expiresAt: new Date(Date.parse(inDays(365)) + 1).toISOString() }),
    'API_KEY_EXPIRES_AT_INVALID',
    'expiresAt',
  ),
  {
    name: 'an expiry of 365 days',
    as: 'ben',
    path: () => apiKeys,
    body: () => body({ expiresAt: inDays(365) }),
    status: 201,
    check: (answer) => expect(answer.body.expiresAt).toBe(inDays(365)),
  },
  ...callerCases<Who>(() => apiKeys, 'nobody', 'gone').map((line): Case<Who> => ({ ...line, body: () => body() })),
])

const list = (query = '') => `${apiKeys}${query}`
const principals = (answer: { body: { apiKeys: { principalId: string }[] } }) =>
  new Set(answer.body.apiKeys.map(({ principalId }) => principalId))

table<Who>('GET /v1/api-keys', setting, [
  {
    name: "a person: theirs and their agents', newest first, without secrets",
    as: 'ben',
    path: () => list('?limit=100'),
    status: 200,
    check: (answer) => {
      expect(principals(answer)).toEqual(new Set([ids.ben, ids.bot]))
      const times = answer.body.apiKeys.map(({ createdAt }: { createdAt: string }) => createdAt)
      expect(times).toEqual(times.toSorted().toReversed())
      expect(answer.body.apiKeys.at(-1)).toMatchObject({ id: ids.bensKey, name: 'CI' })
      expect(JSON.stringify(answer.body)).not.toMatch(/qk_|hash/)
    },
  },
  {
    name: 'a page of them',
    as: 'ben',
    path: () => list('?page=2&limit=1'),
    status: 200,
    check: async (answer) => {
      const all = await cast.ben.get(list('?limit=1000'))
      expect(all.body.pagination.limit).toBe(100)
      expect(answer.body).toEqual({
        apiKeys: [all.body.apiKeys[1]],
        pagination: { total: all.body.apiKeys.length, page: 2, limit: 1 },
      })
    },
  },
  {
    name: "one agent's",
    as: 'ben',
    path: () => list(`?principalId=${ids.bot.toUpperCase()}`),
    status: 200,
    check: (answer) => expect(principals(answer)).toEqual(new Set([ids.bot])),
  },
  {
    name: "of someone else: none, as of nobody's",
    as: 'cleo',
    path: () => list(`?principalId=${ids.bot}`),
    status: 200,
    check: async (answer) => {
      expect(answer.body).toEqual({ apiKeys: [], pagination: { total: 0, page: 1, limit: 20 } })
      expect((await cast.cleo.get(list(`?principalId=${unknownId}`))).body).toEqual(answer.body)
    },
  },
  {
    name: 'an agent: its own',
    as: 'bot',
    path: () => list(),
    status: 200,
    check: (answer) => expect(principals(answer)).toEqual(new Set([ids.bot])),
  },
  {
    name: 'an API key: what its principal sees',
    as: 'benKey',
    path: () => list('?limit=100'),
    status: 200,
    check: (answer) => expect(principals(answer)).toEqual(new Set([ids.ben, ids.bot])),
  },
  ...(['ada', 'adminKey'] as const).map((as): Case<Who> => ({
    name: `${as}: everyone's of the organization`,
    as,
    path: () => list('?limit=100'),
    status: 200,
    check: (answer) => expect(principals(answer)).toEqual(new Set([ids.ben, ids.bot, ids.cleo])),
  })),
  {
    name: "ada: one person's",
    as: 'ada',
    path: () => list(`?principalId=${ids.cleo}`),
    status: 200,
    check: (answer) => expect(answer.body.apiKeys).toMatchObject([{ id: ids.cleosKey }]),
  },
  ...(
    [
      ['?principalId=ben', 'API_KEY_PRINCIPAL_ID_INVALID', 'principalId'],
      [`?principalId=${unknownId}&principalId=${unknownId}`, 'API_KEY_PRINCIPAL_ID_INVALID', 'principalId'],
      ['?page=0', 'INVALID_PAGE', 'page'],
      ['?limit=none', 'INVALID_LIMIT', 'limit'],
    ] as const
  ).map(([query, code, field]): Case<Who> => ({
    name: query,
    as: 'ben',
    path: () => list(query),
    status: 400,
    code,
    field,
  })),
  ...callerCases<Who>(() => apiKeys, 'nobody', 'gone'),
])

const one = (id: () => string, suffix = '') => `${apiKeys}/${id()}${suffix}`
const hidden: readonly (readonly [name: string, as: Who, id: () => string])[] = [
  ["someone else's key", 'cleo', () => ids.bensKey],
  ["a key of someone else's agent", 'cleo', () => ids.botKey],
  ["an agent, its person's key", 'bot', () => ids.bensKey],
  ['an unknown id', 'cleo', () => unknownId],
  ['what is no id', 'cleo', () => 'no-id'],
  ['a key of another organization, to an admin', 'ada', () => ids.foreign],
  ['an unknown id, to an admin', 'ada', () => unknownId],
]
const notFound = (suffix = ''): Case<Who>[] =>
  hidden.map(([name, as, id]) => ({
    name,
    as,
    path: () => one(id, suffix),
    status: 404,
    code: 'API_KEY_NOT_FOUND',
    check: (answer) => expect(answer.body).toEqual({ code: 'API_KEY_NOT_FOUND', message: 'No such API key.' }),
  }))

table<Who>('GET /v1/api-keys/{id}', setting, [
  ...(
    [
      ['its person', 'ben', () => ids.bensKey],
      ['who answers for its agent', 'ben', () => ids.botKey],
      ['its agent', 'bot', () => ids.botKey],
      ['an admin', 'ada', () => ids.cleosKey],
      ['the admin key', 'adminKey', () => ids.cleosKey],
    ] as const
  ).map(([name, as, id]): Case<Who> => ({
    name,
    as,
    path: () => one(id),
    status: 200,
    check: (answer) => expect(answer.body.id).toBe(id()),
  })),
  ...notFound(),
  ...callerCases<Who>(() => one(() => ids.bensKey), 'nobody', 'gone'),
])

const rotate = (id: () => string, members?: unknown): Pick<Case<Who>, 'path' | 'body'> => ({
  path: () => one(id, '/rotate'),
  body: () => members,
})

table<Who>('POST /v1/api-keys/{id}/rotate', setting, [
  {
    name: 'its person: a new secret with no body at all, the old one ends',
    as: 'cleo',
    ...rotate(() => ids.cleosKey),
    status: 200,
    check: async (answer) => {
      const { key, hint, previousExpiresAt } = answer.body
      expect([hint, previousExpiresAt]).toEqual([key.slice(-4), undefined])
      expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' })
      expect(said(await bearing(world, key).get('/auth/info'))).toEqual([200, undefined])
      expect(await leavesOf(world, ids.cleosKey)).toEqual(['api-key.created', 'api-key.rotated'])
    },
  },
  { name: 'who answers for its agent', as: 'ben', ...rotate(() => ids.botKey, { graceSeconds: 86_400 }), status: 200 },
  { name: 'an admin, of an agent', as: 'ada', ...rotate(() => ids.botKey, {}), status: 200 },
  ...(
    [
      ['an admin, of another person', 'ada', () => ids.cleosKey],
      ['the admin key, of an agent', 'adminKey', () => ids.botKey],
      ['an agent, of its own', 'bot', () => ids.botKey],
      ['an API key, of itself', 'benKey', () => ids.bensKey],
    ] as const
  ).map(([name, as, id]): Case<Who> => ({
    name,
    as,
    ...rotate(id),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  })),
  ...[-1, 86_401, 0.5, '60', null, true].map((graceSeconds): Case<Who> => ({
    name: `graceSeconds ${graceSeconds}`,
    as: 'ben',
    ...rotate(() => ids.bensKey, { graceSeconds }),
    status: 400,
    code: 'API_KEY_GRACE_SECONDS_INVALID',
    field: 'graceSeconds',
  })),
  { name: 'a list', as: 'ben', ...rotate(() => ids.bensKey, []), status: 400, code: 'MALFORMED_REQUEST' },
  ...notFound('/rotate'),
  ...callerCases<Who>(() => one(() => ids.bensKey, '/rotate'), 'nobody', 'gone'),
])

describe('a key that has ended', () => {
  test('POST /v1/api-keys/{id}/rotate 409 API_KEY_NOT_ACTIVE: it was revoked', async () => {
    const { id } = await madeKey(cast.ben)
    await cast.ben.delete(`${apiKeys}/${id}`)
    expect(said(await cast.ben.post(`${apiKeys}/${id}/rotate`))).toEqual([409, 'API_KEY_NOT_ACTIVE'])
  })

  test('POST /v1/api-keys/{id}/rotate 409 API_KEY_NOT_ACTIVE: it has expired, from its last instant on', async () => {
    const { id } = await madeKey(cast.ben, { expiresAt: new Date(world.clock.now().getTime() + 10).toISOString() })
    world.clock.advance(9)
    expect(said(await cast.ben.post(`${apiKeys}/${id}/rotate`))).toEqual([200, undefined])
    world.clock.advance(1)
    expect(said(await cast.ben.post(`${apiKeys}/${id}/rotate`))).toEqual([409, 'API_KEY_NOT_ACTIVE'])
  })
})

const remove = `DELETE /v1/api-keys/{id}`

table<Who>(remove, setting, [
  ...(
    [
      ['an agent, its own', 'bot', () => ids.botKey],
      ['an API key, itself', 'benKey', () => ids.bensKey],
    ] as const
  ).map(([name, as, id]): Case<Who> => ({
    name,
    as,
    path: () => one(id),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  })),
  ...notFound(),
  ...callerCases<Who>(() => one(() => ids.bensKey), 'nobody', 'gone'),
])

test.each<[string, Who, () => Who]>([
  ['its person', 'cleo', () => 'cleo'],
  ['an admin, of any person', 'ada', () => 'cleo'],
  ['the admin key, of any person', 'adminKey', () => 'cleo'],
])(`${remove} 204: %s, and again, with one leaf`, async (_name, as, owner) => {
  const { id } = await madeKey(setting().cast[owner()])
  const by = setting().cast[as]
  expect(await by.delete(`${apiKeys}/${id}`)).toMatchObject({ status: 204, body: '' })
  world.clock.advance(1000)
  expect(await by.delete(`${apiKeys}/${id}`)).toMatchObject({ status: 204, body: '' })
  expect(await leavesOf(world, id)).toEqual(['api-key.created', 'api-key.revoked'])
  const revokedAt = new Date(world.clock.now().getTime() - 1000).toISOString()
  expect((await cast.cleo.get(`${apiKeys}/${id}`)).body).toMatchObject({ revokedAt })
})

test(`${remove} 204: who answers for its agent`, async () => {
  const { id } = await madeKey(cast.ben, { principalId: ids.bot })
  expect(await cast.ben.delete(`${apiKeys}/${id}`)).toMatchObject({ status: 204 })
})
