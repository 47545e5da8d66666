import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiClient, roleStore, startPrivx, userStore, type PrivxWorld } from '../../helpers/privx.ts'
import type { Answer, Client } from '../../helpers/world.ts'

let privx: PrivxWorld
let admin: Client
let plain: Client
beforeAll(async () => {
  privx = await startPrivx()
  ;({ admin } = privx)
  plain = await privx.user('plain')
})
afterAll(() => privx.close())

const unknown = '11111111-1111-4111-8111-111111111111'
const created = async (answer: Promise<Answer>): Promise<string> => (await answer).body.id
const named = (name: string, more: object = {}) => ({ name, ...more })

describe('roles', () => {
  test('a role is made, read, changed and deleted', async () => {
    const sent = {
      name: 'Auditor',
      comment: 'looks',
      permissions: ['requests-view', 'requests-view'],
      access_group_id: 'ag',
      context: { enabled: false },
      source_rules: { type: 'GROUP' },
      id: '',
      unknown: 1,
    }
    const made = await admin.post(`${roleStore}/roles`, sent)
    const { id } = made.body
    expect([made.status, made.headers['location']]).toEqual([201, `${roleStore}/roles/${id}`])
    const shown = {
      id,
      name: 'Auditor',
      comment: 'looks',
      permissions: ['requests-view'],
      access_group_id: 'ag',
      context: { enabled: false },
      source_rules: { type: 'GROUP' },
      explicit: false,
      implicit: false,
      system: false,
      member_count: 0,
    }
    expect((await plain.get(`${roleStore}/roles/${id}`)).body).toEqual({
      ...shown,
      created: expect.any(String),
      updated: expect.any(String),
    })
    const changed = await admin.put(`${roleStore}/roles/${id}`, { id, name: 'Checker', permissions: [] })
    expect(changed.status).toBe(200)
    expect((await admin.get(`${roleStore}/roles/${id}`)).body).toMatchObject({ name: 'Checker', comment: '' })
    expect(
      (await admin.delete(`${roleStore}/roles/${id}`, undefined, { 'content-type': 'application/json' })).status,
    ).toBe(200)
    expect((await admin.get(`${roleStore}/roles/${id}`)).status).toBe(404)
    expect((await admin.post(`${roleStore}/roles`, named('Checker'))).status).toBe(201)
  })

  test.each([
    [{}, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 5 }, 'name'],
    [{ name: 'x'.repeat(513) }, 'name'],
    [{ name: 'bad', permissions: 'all' }, 'permissions'],
    [{ name: 'bad', permissions: ['two words'] }, 'permissions[0]'],
    [{ name: 'bad', comment: 5 }, 'comment'],
    [{ name: 'privx-admin' }, 'name'],
  ])('%j is 400 and names %s', async (body, property) => {
    const answer = await admin.post(`${roleStore}/roles`, body)
    expect([answer.status, answer.body.error_code]).toEqual([400, 'BAD_REQUEST'])
    expect(answer.body.property ?? answer.body.details[0].property).toBe(property)
  })

  test('the role of the server stays as it is', async () => {
    const { body } = await admin.post(`${roleStore}/roles/resolve`, ['privx-admin', 'no such role'])
    expect(body).toMatchObject({
      count: 1,
      items: [{ name: 'privx-admin', system: true, permissions: ['privx-admin'] }],
    })
    const { id } = body.items[0]
    expect((await admin.delete(`${roleStore}/roles/${id}`)).status).toBe(400)
    expect((await admin.put(`${roleStore}/roles/${id}`, named('other'))).status).toBe(400)
    const same = { name: 'privx-admin', permissions: ['privx-admin'], comment: 'ours' }
    expect((await admin.put(`${roleStore}/roles/${id}`, same)).status).toBe(200)
    expect((await admin.get(`${roleStore}/roles/${id}`)).body).toMatchObject({ system: true, comment: 'ours' })
  })

  test('lists are counted before they are paged', async () => {
    for (const name of ['list b', 'list a', 'list c']) await privx.role(name)
    const found = async (query: string) =>
      (await plain.post(`${roleStore}/roles/search?${query}`, { keywords: 'LIST ' })).body
    const namesOf = (body: { items: { name: string }[] }) => body.items.map(({ name }) => name)
    expect(namesOf(await found(''))).toEqual(['list a', 'list b', 'list c'])
    const page = await found('sortkey=name&sortdir=desc&offset=1&limit=1')
    expect([page.count, namesOf(page)]).toEqual([3, ['list b']])
    const byName = await plain.post(`${roleStore}/roles/search`, { name: ['list c'] })
    expect(namesOf(byName.body)).toEqual(['list c'])
    expect((await plain.get(`${roleStore}/roles?limit=1000`)).body.count).toBeGreaterThan(3)
  })

  test.each([
    ['offset=-1', 'offset'],
    ['limit=1001', 'limit'],
    ['limit=x', 'limit'],
    ['offset=1.5', 'offset'],
    ['sortkey=colour', 'sortkey'],
    ['sortdir=up', 'sortdir'],
  ])('the list refuses %s', async (query, property) => {
    const { status, body } = await plain.get(`${roleStore}/roles?${query}`)
    expect([status, body.error_code, body.property]).toEqual([400, 'BAD_REQUEST', property])
  })
})

describe('who holds roles', () => {
  const at = (milliseconds: number) => new Date(privx.world.clock.now().getTime() + milliseconds).toISOString()
  const rolesOf = async (id: string) => (await plain.get(`${roleStore}/users/${id}/roles`)).body
  const give = async (id: string, roles: object) => await admin.put(`${roleStore}/users/${id}/roles`, roles)

  test('giving roles replaces those that are held by grant', async () => {
    const [one, two] = [await privx.role('one', ['requests-view']), await privx.role('two')]
    const user = await privx.user('given', [one])
    expect(await rolesOf(user.id)).toEqual({
      count: 1,
      items: [
        {
          id: one,
          name: 'one',
          explicit: true,
          implicit: false,
          permissions: ['requests-view'],
          grant_type: 'PERMANENT',
        },
      ],
    })
    expect((await plain.get(`${roleStore}/users/${user.id}`)).body).toMatchObject({
      permissions: ['requests-view'],
      roles: [{ id: one }],
    })
    expect((await give(user.id, [{ id: two, name: '', explicit: true }])).status).toBe(200)
    expect((await rolesOf(user.id)).items.map((role: { id: string }) => role.id)).toEqual([two])
    const members = await plain.get(`${roleStore}/roles/${two}/members`)
    expect(members.body).toMatchObject({ count: 1, items: [{ id: user.id, principal: 'given' }] })
    expect((await give(user.id, [])).status).toBe(200)
    expect(await rolesOf(user.id)).toEqual({ count: 0, items: [] })
  })

  test('a role for a while is told of until its end, and resolved only while it is in force', async () => {
    const [later, floating] = [await privx.role('later'), await privx.role('floats')]
    const user = await privx.user('timed')
    const [grant_start, grant_end] = [at(60_000), at(120_000)]
    const roles = [
      { id: later, grant_type: 'TIME_RESTRICTED', grant_start, grant_end },
      { id: floating, grant_type: 'FLOATING', floating_length: 8 },
    ]
    expect((await give(user.id, roles)).status).toBe(200)
    const resolved = async () =>
      (await plain.get(`${roleStore}/users/${user.id}/resolve`)).body.roles.map((role: { name: string }) => role.name)
    expect((await rolesOf(user.id)).items).toMatchObject([
      { id: floating, grant_type: 'FLOATING', floating_length: 8 },
      { id: later, grant_type: 'TIME_RESTRICTED', grant_start: expect.any(String), grant_end: expect.any(String) },
    ])
    expect(await resolved()).toEqual(['floats'])
    privx.world.clock.advance(60_000)
    expect(await resolved()).toEqual(['floats', 'later'])
    privx.world.clock.advance(60_000)
    expect(await resolved()).toEqual(['floats'])
    expect((await rolesOf(user.id)).count).toBe(1)
  })

  test.each([
    [[{ id: unknown }], '[0].id'],
    [[{ id: 'nonsense' }], '[0].id'],
    [[{}], '[0].id'],
    [[{ id: 'ROLE' }, { id: 'ROLE' }], '[1].id'],
    [[{ id: 'ROLE', grant_type: 'SOMETIMES' }], '[0].grant_type'],
    [[{ id: 'ROLE', grant_type: 'TIME_RESTRICTED' }], '[0].grant_start'],
    [[{ id: 'ROLE', grant_type: 'TIME_RESTRICTED', grant_start: 'SOON' }], '[0].grant_end'],
    [[{ id: 'ROLE', grant_type: 'TIME_RESTRICTED', grant_start: 'LATER', grant_end: 'SOON' }], '[0].grant_end'],
    [[{ id: 'ROLE', grant_type: 'PERMANENT', floating_length: 2 }], '[0].floating_length'],
    [[{ id: 'ROLE', grant_type: 'PERMANENT', grant_end: 'SOON' }], '[0].grant_end'],
    [[{ id: 'ROLE', grant_type: 'FLOATING' }], '[0].floating_length'],
    // Without a type it would be for good.
    [[{ id: 'ROLE', grant_end: 'SOON' }], '[0].grant_end'],
    [[{ id: 'ROLE', grant_start: 'SOON', grant_end: 'LATER' }], '[0].grant_start'],
    [[{ id: 'ROLE', grant_type: '', grant_start: 'SOON' }], '[0].grant_start'],
    [[{ id: 'ROLE', grant_type: null, floating_length: 8 }], '[0].floating_length'],
    // The place is the one in the body, whatever is left out of it.
    [
      [
        { id: unknown, explicit: false, implicit: true },
        { id: 'ROLE', grant_end: 'SOON' },
      ],
      '[1].grant_end',
    ],
    [['x'], '[0]'],
  ])('%j is 400 and names %s', async (roles, property) => {
    const { body } = await admin.post(`${roleStore}/roles/resolve`, ['privx-admin'])
    const text = JSON.stringify(roles)
      .replaceAll('ROLE', body.items[0].id)
      .replaceAll('SOON', at(60_000))
      .replaceAll('LATER', at(120_000))
    const answer = await admin.put(`${roleStore}/users/${plain.id}/roles`, text)
    expect([answer.status, answer.body.property]).toEqual([400, property])
    // Messages are for whoever wrote the body: they hold no name of ours.
    expect(answer.body.error_message).not.toMatch(/startsAt|endsAt|floatingHours/)
    expect((await rolesOf(plain.id)).count).toBe(0)
  })

  test('a body that is no array is 400, a user that is none is 404', async () => {
    expect((await give(plain.id, {})).status).toBe(400)
    expect((await give(unknown, [])).status).toBe(404)
    expect((await give('nonsense', [])).status).toBe(404)
  })

  test('deleting a role takes it from everyone, and with it what it gave', async () => {
    const powerful = await privx.role('powerful', ['privx-admin'])
    const user = await privx.user('mighty', [powerful])
    expect((await user.post(`${roleStore}/roles`, named('made by mighty'))).status).toBe(201)
    expect((await admin.delete(`${roleStore}/roles/${powerful}`)).status).toBe(200)
    expect((await user.post(`${roleStore}/roles`, named('made too late'))).status).toBe(403)
    expect((await rolesOf(user.id)).count).toBe(0)
    expect((await give(user.id, [{ id: powerful }])).status).toBe(400)
  })

  test('what a role gives and who holds it are told of now, whatever is to come or over', async () => {
    const [brief, always] = [
      await privx.role('brief', ['requests-view']),
      await privx.role('always', ['workflows-view']),
    ]
    const user = await privx.user('in and out', [always])
    const out = await privx.world.person('Out')
    await give(out.id, [{ id: brief }])
    const [grant_start, grant_end] = [at(1000), at(2000)]
    await give(user.id, [{ id: always }, { id: brief, grant_type: 'TIME_RESTRICTED', grant_start, grant_end }])
    const ada = await privx.world.person('Disabler', { admin: true })
    await ada.post(`/v1/users/${out.id}/disable`)
    const told = []
    for (let second = 0; second < 3; second++) {
      const [{ body: shown }, { body: role }, { body: list }, { body: members }] = await Promise.all([
        plain.get(`${roleStore}/users/${user.id}`),
        plain.get(`${roleStore}/roles/${brief}`),
        plain.post(`${roleStore}/roles/search`, { name: ['brief'] }),
        plain.get(`${roleStore}/roles/${brief}/members`),
      ])
      told.push([shown.permissions, role.member_count, list.items[0].member_count, members.count])
      privx.world.clock.advance(1000)
    }
    const idle = [['workflows-view'], 0, 0, 0]
    expect(told).toEqual([idle, [['requests-view', 'workflows-view'], 1, 1, 1], idle])
  })

  test('an admin role that has not begun or is over gives nothing', async () => {
    const powerful = await privx.role('powerful for a while', ['privx-admin'])
    const user = await privx.user('briefly')
    await give(user.id, [{ id: powerful, grant_type: 'TIME_RESTRICTED', grant_start: at(1000), grant_end: at(2000) }])
    const statuses = []
    for (let n = 0; n < 3; n++) {
      statuses.push((await user.post(`${roleStore}/roles`, named(`in turn ${n}`))).status)
      privx.world.clock.advance(1000)
    }
    expect(statuses).toEqual([403, 201, 403])
  })
})

describe('users', () => {
  test('everyone is a user: who signs in by OpenID, by password, by a secret', async () => {
    const ada = await privx.world.person('Ada', { admin: true })
    const found = async (body: object) => (await plain.post(`${roleStore}/users/search`, body)).body
    expect(await found({ keywords: 'ADA@' })).toMatchObject({
      count: 1,
      items: [{ id: ada.id, principal: 'ada@example.com', full_name: 'Ada', email: 'ada@example.com', source: 'OIDC' }],
    })
    expect(await found({ user_id: [plain.id, unknown, 'x'] })).toMatchObject({ count: 1, items: [{ source: 'LOCAL' }] })
    expect(await found({ source: 'API_CLIENT' })).toMatchObject({ count: 1, items: [{ id: apiClient.id }] })
    expect(await found({ source: 'elsewhere' })).toEqual({ count: 0, items: [] })
    expect((await privx.world.anyone.get(`${roleStore}/users/current`)).status).toBe(401)
    expect((await plain.get(`${roleStore}/users/current`)).body).toMatchObject({
      id: plain.id,
      attributes: [],
      roles: [],
    })
    expect((await plain.get(`${roleStore}/users/${unknown}`)).status).toBe(404)
    expect((await plain.get(`${roleStore}/users/x/resolve`)).status).toBe(404)
    // An organization admin may all that the role privx-admin gives.
    expect((await ada.post(`${roleStore}/roles`, named('made by ada'))).status).toBe(201)
  })
})

describe('what needs privx-admin', () => {
  const calls: ['post' | 'put' | 'delete' | 'get', string, object?][] = [
    ['post', `${roleStore}/roles`, named('no')],
    ['put', `${roleStore}/roles/${unknown}`, named('no')],
    ['delete', `${roleStore}/roles/${unknown}`],
    ['put', `${roleStore}/users/${unknown}/roles`, []],
    ['post', `${userStore}/users`, { username: 'no' }],
    ['put', `${userStore}/users/${unknown}`, { username: 'no' }],
    ['put', `${userStore}/users/${unknown}/password`, { password: 'no' }],
    ['delete', `${userStore}/users/${unknown}`],
    ['get', `${userStore}/api-clients`],
    ['get', `${userStore}/api-clients/${unknown}`],
    ['post', `${userStore}/api-clients`, named('no')],
    ['put', `${userStore}/api-clients/${unknown}`, named('no')],
    ['delete', `${userStore}/api-clients/${unknown}`],
  ]

  test.each(calls)('%s %s is 403 without', async (method, path, body) => {
    const answer = await plain[method](path, body)
    expect([answer.status, answer.body.error_code]).toEqual([403, 'PERMISSION_DENIED'])
  })

  test.each(calls.filter(([, path]) => path.includes(unknown)))('%s %s is 404 with it', async (method, path, body) => {
    const answer = await admin[method](path, body)
    expect([answer.status, answer.body.error_code]).toEqual([404, 'NOT_FOUND'])
  })

  test('an API key does not do, whoever it acts as', async () => {
    const ada = await privx.world.person('Keyholder', { admin: true })
    const key = { name: 'key', scopes: ['privx'] }
    const { body } = await ada.post('/v1/api-keys', key)
    const holder = privx.bearer(ada.id, body.key)
    expect((await holder.get(`${roleStore}/roles`)).status).toBe(200)
    expect((await holder.post(`${roleStore}/roles`, named('by key'))).status).toBe(403)
    const other = await ada.post('/v1/api-keys', { name: 'other', scopes: ['native:read'] })
    expect((await privx.bearer(ada.id, other.body.key).get(`${roleStore}/roles`)).status).toBe(403)
  })
})

test('a role is no group of the native API', async () => {
  const id = await privx.role('hidden-from-native')
  const ada = await privx.world.person('Native', { admin: true })
  expect((await ada.get(`/groups/${id}`)).status).toBe(404)
  const add = { entities: [{ entity: { entityType: 'human', entityId: ada.id } }] }
  expect((await ada.post(`/groups/${id}/entities`, add)).status).toBe(404)
  expect(await created(ada.post('/groups', { name: 'hidden-from-native' }))).not.toBe(id)
})
