import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agent, contents, madeId, unknownId } from '../../helpers/directory.ts'
import { startWorld, type Client, type World } from '../../helpers/world.ts'

let world: World
let ada: Client
let ben: Client
let bot: Client
let group = ''

beforeAll(async () => {
  world = await startWorld()
  ada = await world.person('Ada', { admin: true })
  ben = await world.person('Ben')
  bot = await agent(world, 'bot', ben)
  group = madeId(await ada.post('/groups', { name: 'guards' }))
})
afterAll(() => world.close())

type Method = 'get' | 'post' | 'put' | 'delete'
const human = (id: string) => ({ entity: { entityType: 'human', entityId: id } })
const admins = '/organization/default/admins'

/** Each call that takes a body, with one that would be good if `text` were. */
const bodies: (readonly [method: Method, path: () => string, body: (text: unknown) => object])[] = [
  ['post', () => '/users', (text) => ({ displayName: text, email: 'x@example.com', orgRole: 'member' })],
  ['post', () => '/users', (text) => ({ displayName: 'X', email: text, orgRole: 'member' })],
  ['put', () => `/users/${ben.id}/roles`, (text) => ({ roles: [{ roleName: text, scope: { type: 'org' } }] })],
  [
    'put',
    () => `/users/${ben.id}/roles`,
    (text) => ({ roles: [{ roleName: 'WorkflowList', scope: { type: 'workflow_template', templateName: text } }] }),
  ],
  ['delete', () => `/users/${ben.id}/roles`, (text) => ({ roles: [{ roleName: 'X', scope: { type: text } }] })],
  ['put', () => `/agents/${bot.id}/roles`, (text) => ({ roles: [{ roleName: text, scope: { type: 'org' } }] })],
  ['post', () => '/groups', (text) => ({ name: text })],
  ['post', () => `/groups/${group}/entities`, (text) => ({ entities: [human(text as string)] })],
  ['delete', () => `/groups/${group}/entities`, (text) => ({ entities: [human(text as string)] })],
  ['post', () => '/spaces', (text) => ({ name: text })],
  ['post', () => admins, (text) => ({ email: text })],
  ['delete', () => admins, (text) => ({ userId: text })],
]

const badValues: Record<string, unknown> = {
  'a NUL': 'a\0b',
  'half a surrogate pair': 'a\ud800',
  'a number': 1e300,
  'an object': { toString: 'x' },
  'a list': [['x']],
  true: true,
  'a million characters': 'x'.repeat(1_000_000),
}

describe('a bad value is refused and changes nothing', () => {
  for (const [name, value] of Object.entries(badValues)) {
    for (const [index, [method, path, body]] of bodies.entries()) {
      test(`${name} in ${method.toUpperCase()} ${index}: ${JSON.stringify(body('…'))}`, async () => {
        const before = await contents(world)
        const answer = await ada[method](path(), body(value))
        expect(answer.status, JSON.stringify(answer.body)).toBeGreaterThanOrEqual(400)
        expect(answer.status).toBeLessThan(500)
        expect(answer.body).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/), message: expect.any(String) })
        expect(await contents(world)).toEqual(before)
      })
    }
  }
})

describe('a bad body is refused and changes nothing', () => {
  const texts: Record<string, string> = {
    'no JSON': '{"name":',
    'a number': '7',
    'a text': '"x"',
    null: 'null',
    __proto__: '{"name":"ok","__proto__":{"admin":true}}',
    'constructor.prototype': '{"name":"ok","constructor":{"prototype":{"admin":true}}}',
    'nested deeply': `{"name":"ok","x":${'['.repeat(200)}${']'.repeat(200)}}`,
  }
  for (const [name, text] of Object.entries(texts)) {
    test(name, async () => {
      const before = await contents(world)
      for (const [method, path] of bodies) {
        const answer = await ada[method](path(), text)
        expect([name, method, path(), answer.status]).toEqual([name, method, path(), 400])
      }
      expect(await contents(world)).toEqual(before)
    })
  }

  test('more than a mebibyte', async () => {
    const answer = await ada.post('/groups', { name: 'ok', description: 'x'.repeat(1024 * 1024) })
    expect(answer).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } })
  })

  test('a bad Idempotency-Key', async () => {
    const answer = await ada.post('/groups', { name: 'ok' }, { 'idempotency-key': ' ' })
    expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_IDEMPOTENCY_KEY' } })
  })
})

test('members that nobody knows are ignored', async () => {
  const answer = await ada.post('/groups', { name: 'extra', colour: 'red', member_count: 99 })
  expect((await ada.get(`/groups/${madeId(answer)}`)).body).toMatchObject({ entitiesCount: 1 })
})

const lists = () => ['/users', '/agents', '/groups', '/spaces', `/groups/${group}/entities`, admins]
describe('a list', () => {
  const queries = [
    'page=0',
    'page=-1',
    'page=1e9',
    'page=0x1',
    'page=NaN',
    'page=Infinity',
    'page=%00',
    'page=1&page=1',
    'page[a]=1',
    'limit=0',
    'limit=1.5',
    'limit=%20',
    'page=9223372036854775807',
    'page=1%27%3B--',
  ]
  for (const query of queries) {
    test(`refuses ${query}`, async () => {
      for (const path of lists()) {
        const { status } = await ada.get(`${path}?${query}`)
        // A parameter of another name is no business of the list.
        expect([path, status]).toEqual([path, query.startsWith('page[') ? 200 : 400])
      }
    })
  }

  test('is empty on the last page that has a number', async () => {
    for (const path of lists()) {
      const { status, body } = await ada.get(`${path}?page=9007199254740991&limit=100`)
      expect([path, status]).toEqual([path, 200])
      expect(Object.values(body as object).find(Array.isArray)).toEqual([])
    }
  })

  test('takes any search text for what it is', async () => {
    for (const path of ['/groups', '/spaces']) {
      for (const search of ['%', '_', '\\', "'", '"', '𝒳', '(?:a+)+$']) {
        const answer = await ada.get(`${path}?search=${encodeURIComponent(search)}`)
        expect([path, search, answer.status, answer.body.pagination.total]).toEqual([path, search, 200, 0])
      }
    }
  })
})

test('a path that is no path is answered like every refusal', async () => {
  for (const segment of ['%00', '%ED%A0%80', '%', 'a'.repeat(3000), '..%2f..%2fetc', '%F0%9F%92%A9']) {
    const paths = [`/users/${segment}`, `/agents/${segment}`, `/groups/${segment}`, `/spaces/${segment}`]
    for (const path of [...paths, `/groups/${segment}/entities`, `/organization/${segment}/admins`]) {
      const { status, body } = await ada.get(path)
      expect([path, status]).toEqual([path, expect.toSatisfy((code: number) => code === 400 || code === 404)])
      expect(body).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/), message: expect.any(String) })
    }
  }
})

describe('what belongs to another organization', () => {
  const other = '01890000-0000-7000-8000-00000000aaaa'
  const theirs = { user: '', agent: '', group: '', space: '' }

  beforeAll(async () => {
    const { db, newId } = world.ctx
    const created_at = world.clock.now()
    const at = { created_at, updated_at: created_at }
    Object.assign(theirs, { user: newId(), agent: newId(), group: newId(), space: newId() })
    const person = newId()
    await db.insertInto('organizations').values({ id: other, name: 'other', created_at }).execute()
    await db.insertInto('people').values({ id: person, email: 'zoe@example.com', created_at }).execute()
    const principal = { org_id: other, person_id: person, created_at }
    await db
      .insertInto('principals')
      .values([
        { ...principal, id: theirs.user, kind: 'human', name: 'Zoe', email: 'zoe@example.com' },
        { ...principal, id: theirs.agent, kind: 'agent', name: 'zoebot', email: null },
      ])
      .execute()
    await db
      .insertInto('organization_admins')
      .values({
        org_id: other,
        id: newId(),
        principal_id: theirs.user,
        email: 'zoe@example.com',
        created_at,
      })
      .execute()
    await db
      .insertInto('groups')
      .values({ org_id: other, id: theirs.group, name: 'theirs', ...at })
      .execute()
    await db
      .insertInto('spaces')
      .values({ org_id: other, id: theirs.space, name: 'theirs', ...at })
      .execute()
  })

  test('is answered like what is not there, and stays as it is', async () => {
    const before = await contents(world)
    const roles = { roles: [{ roleName: 'WorkflowList', scope: { type: 'org' } }] }
    const calls: [Method, (id: string) => string, ((id: string) => unknown) | null, keyof typeof theirs][] = [
      ['get', (id) => `/users/${id}`, null, 'user'],
      ['put', (id) => `/users/${id}/roles`, () => roles, 'user'],
      ['delete', (id) => `/users/${id}/roles`, () => roles, 'user'],
      ['get', (id) => `/agents/${id}`, null, 'agent'],
      ['put', (id) => `/agents/${id}/roles`, () => roles, 'agent'],
      ['get', (id) => `/groups/${id}`, null, 'group'],
      ['get', (id) => `/groups/${id}/entities`, null, 'group'],
      ['post', (id) => `/groups/${id}/entities`, () => ({ entities: [human(ben.id)] }), 'group'],
      ['delete', (id) => `/groups/${id}/entities`, () => ({ entities: [human(ben.id)] }), 'group'],
      ['post', () => `/groups/${group}/entities`, (id) => ({ entities: [human(id)] }), 'user'],
      ['get', (id) => `/spaces/${id}`, null, 'space'],
      ['delete', (id) => `/spaces/${id}`, null, 'space'],
      ['delete', () => admins, (id) => ({ userId: id }), 'user'],
    ]
    for (const [method, path, body, kind] of calls) {
      const found = await ada[method](path(theirs[kind]), body?.(theirs[kind]))
      const missing = await ada[method](path(unknownId), body?.(unknownId))
      expect([method, path('…'), found.status, found.body]).toEqual([method, path('…'), missing.status, missing.body])
    }
    for (const path of ['/users/zoe@example.com', '/agents/zoebot', '/groups/theirs']) {
      expect([path, (await ada.get(path)).status]).toEqual([path, 404])
    }
    expect(await ada.post(admins, { email: 'zoe@example.com' })).toMatchObject({ status: 400 })
    expect(await ada.get('/organization/other/admins')).toMatchObject({ status: 404 })
    expect(await contents(world)).toEqual(before)
  })

  test('is in no list', async () => {
    for (const path of lists()) expect(JSON.stringify((await ada.get(path)).body)).not.toMatch(/zoe|theirs/i)
  })

  test('does not take the names of this one', async () => {
    expect(await ada.post('/groups', { name: 'theirs' })).toMatchObject({ status: 201 })
    expect(await ada.post('/spaces', { name: 'theirs' })).toMatchObject({ status: 201 })
    const zoe = { displayName: 'Zoe', email: 'zoe@example.com', orgRole: 'member' }
    expect(await ada.post('/users', zoe)).toMatchObject({ status: 201 })
  })
})
