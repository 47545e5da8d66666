import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  agent,
  callerCases,
  ghost,
  leavesOf,
  madeId,
  quota,
  table,
  unknownId,
  type Case,
} from '../../helpers/directory.ts'
import { startWorld, type Answer, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'cleo' | 'dana' | 'eli' | 'bot'

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Client>
/** Ben manages `security`, Cleo is a member of it, Dana may manage it but is no member, Eli is neither. */
const ids = { security: '' }
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Client> })
const human = (client: { id: string }) => ({ entity: { entityType: 'human', entityId: client.id } })
const robot = (client: { id: string }) => ({ entity: { entityType: 'agent', entityId: client.id } })

beforeAll(async () => {
  world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const cleo = await world.person('Cleo')
  const dana = await world.person('Dana')
  const eli = await world.person('Eli')
  cast = { ada, ben, cleo, dana, eli, bot: await agent(world, 'bot', ben), gone: await ghost(world) }
  ids.security = madeId(await ben.post('/groups', { name: 'security', description: 'Who guards' }))
  await ben.post(`/groups/${ids.security}/entities`, { entities: [human(cleo)] })
  await ada.put(`/users/${dana.id}/roles`, {
    roles: [{ roleName: 'GroupManager', scope: { type: 'group', groupId: ids.security } }],
  })
})
afterAll(() => world.close())

const groups = () => '/groups'

table<Who>('POST /groups', setting, [
  {
    name: 'a plain member, who becomes its manager and first member',
    as: 'eli',
    path: groups,
    body: () => ({ name: 'finance', description: 'x'.repeat(2048) }),
    status: 201,
    check: async (answer) => {
      const id = madeId(answer)
      expect(answer.body).toBe('')
      expect(answer.headers['location']).toBe(`http://localhost:80/groups/${id}`)
      const me = await cast.eli.get('/auth/info')
      expect(me.body).toMatchObject({
        groups: [{ groupId: id, groupName: 'finance' }],
        roles: [{ roleName: 'GroupManager', scope: { type: 'group', groupId: id } }],
        concurrencyControl: { version: '2' },
      })
      expect((await cast.eli.get(`/groups/${id}`)).body.entitiesCount).toBe(1)
      expect(await leavesOf(world, id)).toEqual(['group.created'])
    },
  },
  { name: 'one letter', as: 'ada', path: groups, body: () => ({ name: 'Z' }), status: 201 },
  { name: '512 letters', as: 'ada', path: groups, body: () => ({ name: 'z'.repeat(512) }), status: 201 },
  ...callerCases<Who>(groups, 'nobody', 'gone'),
  ...(
    [
      ['no body', undefined, 'MALFORMED_REQUEST', undefined],
      ['no name', {}, 'GROUP_NAME_EMPTY', 'name'],
      ['a blank name', { name: '  ' }, 'GROUP_NAME_EMPTY', 'name'],
      ['a number', { name: 7 }, 'MALFORMED_REQUEST', 'name'],
      ['513 letters', { name: 'z'.repeat(513) }, 'GROUP_NAME_TOO_LONG', 'name'],
      ['a digit first', { name: '1st' }, 'GROUP_NAME_INVALID_CHARACTERS', 'name'],
      ['a hyphen first', { name: '-a' }, 'GROUP_NAME_INVALID_CHARACTERS', 'name'],
      ['a hyphen last', { name: 'a-' }, 'GROUP_NAME_INVALID_CHARACTERS', 'name'],
      ['a blank inside', { name: 'a b' }, 'GROUP_NAME_INVALID_CHARACTERS', 'name'],
      ['an underscore', { name: 'a_b' }, 'GROUP_NAME_INVALID_CHARACTERS', 'name'],
      ['a line break last', { name: 'a\n' }, 'GROUP_NAME_INVALID_CHARACTERS', 'name'],
      ['2049 characters', { name: 'ok', description: 'x'.repeat(2049) }, 'GROUP_DESCRIPTION_TOO_LONG', 'description'],
      ['no text', { name: 'ok', description: {} }, 'MALFORMED_REQUEST', 'description'],
    ] as const
  ).map(([name, body, code, field]): Case<Who> => {
    return { name, as: 'eli', path: groups, body: () => body, status: 400, code, ...(field && { field }) }
  }),
  {
    name: 'an agent calls',
    as: 'bot',
    path: groups,
    body: () => ({ name: 'bots' }),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  {
    name: 'a name that is taken',
    as: 'eli',
    path: groups,
    body: () => ({ name: 'security' }),
    status: 409,
    code: 'GROUP_ALREADY_EXISTS',
  },
])

const named = (names: string[]) => (answer: Answer) =>
  expect(answer.body.groups.map((group: { name: string }) => group.name)).toEqual(names)

table<Who>('GET /groups', setting, [
  {
    name: 'an admin sees all',
    as: 'ada',
    path: () => '/groups?limit=2',
    status: 200,
    check: (answer) => {
      expect(answer.body).toEqual({
        groups: [
          {
            id: ids.security,
            name: 'security',
            description: 'Who guards',
            entitiesCount: 2,
            createdAt: '2026-11-21T12:00:00.000Z',
            updatedAt: '2026-11-21T12:00:00.000Z',
          },
          expect.objectContaining({ name: 'finance' }),
        ],
        pagination: { total: 4, page: 1, limit: 2 },
      })
    },
  },
  { name: 'a member sees their own', as: 'cleo', path: groups, status: 200, check: named(['security']) },
  { name: 'a manager who is no member sees none', as: 'dana', path: groups, status: 200, check: named([]) },
  {
    name: 'search in the name',
    as: 'ada',
    path: () => '/groups?search=SECUR',
    status: 200,
    check: named(['security']),
  },
  { name: 'search among their own', as: 'cleo', path: () => '/groups?search=fin', status: 200, check: named([]) },
  { name: 'an underscore is a letter', as: 'ada', path: () => '/groups?search=f_n', status: 200, check: named([]) },
  {
    name: 'a large limit is capped',
    as: 'ada',
    path: () => '/groups?limit=101',
    status: 200,
    check: (answer) => expect(answer.body.pagination.limit).toBe(100),
  },
  ...callerCases<Who>(() => '/groups?page=0', 'nobody', 'gone'),
  ...(
    [
      ['page=0', 'INVALID_PAGE', 'page'],
      ['limit=x', 'INVALID_LIMIT', 'limit'],
      ['search=a&search=b', 'INVALID_SEARCH', 'search'],
      [`search=${'x'.repeat(513)}`, 'INVALID_SEARCH', 'search'],
    ] as const
  ).map(([query, code, field]): Case<Who> => ({
    name: query.slice(0, 30),
    as: 'cleo',
    path: () => `/groups?${query}`,
    status: 400,
    code,
    field,
  })),
  { name: 'an agent calls', as: 'bot', path: groups, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
])

table<Who>('GET /groups/{groupIdentifier}', setting, [
  {
    name: 'by name, its manager',
    as: 'ben',
    path: () => '/groups/security',
    status: 200,
    check: (answer) => expect(answer.body).toMatchObject({ id: ids.security, entitiesCount: 2 }),
  },
  { name: 'by id, an admin', as: 'ada', path: () => `/groups/${ids.security.toUpperCase()}`, status: 200 },
  { name: 'who may read it without being a member', as: 'dana', path: () => '/groups/security', status: 200 },
  ...callerCases<Who>(() => '/groups/security', 'nobody', 'gone'),
  {
    name: 'being a member is not enough',
    as: 'cleo',
    path: () => '/groups/security',
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  {
    name: 'who may not read it does not learn that there is none',
    as: 'cleo',
    path: () => `/groups/${unknownId}`,
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  { name: 'an agent', as: 'bot', path: () => '/groups/security', status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
  { name: 'unknown id', as: 'ada', path: () => `/groups/${unknownId}`, status: 404, code: 'GROUP_NOT_FOUND' },
  { name: 'unknown name', as: 'ada', path: () => '/groups/Security', status: 404, code: 'GROUP_NOT_FOUND' },
])

const members = (id?: string) => () => `/groups/${id ?? ids.security}/entities`

table<Who>('GET /groups/{groupId}/entities', setting, [
  {
    name: 'a member',
    as: 'cleo',
    path: () => `/groups/${ids.security}/entities?limit=1000`,
    status: 200,
    check: (answer) => {
      const addedAt = '2026-11-21T12:00:00.000Z'
      expect(answer.body).toEqual({
        entities: [
          { ...human(cast.ben), addedAt },
          { ...human(cast.cleo), addedAt },
        ],
        pagination: { total: 2, page: 1, limit: 100 },
      })
    },
  },
  { name: 'an admin', as: 'ada', path: members(), status: 200 },
  ...callerCases<Who>(members('x'), 'nobody', 'gone'),
  {
    name: 'a name',
    as: 'cleo',
    path: members('security'),
    status: 400,
    code: 'REQUEST_INVALID_GROUP_UUID',
    field: 'groupId',
  },
  { name: 'page=0', as: 'cleo', path: () => `${members()()}?page=0`, status: 400, code: 'INVALID_PAGE', field: 'page' },
  { name: 'limit=0', as: 'cleo', path: () => `${members()()}?limit=0`, status: 400, code: 'INVALID_LIMIT' },
  { name: 'unknown', as: 'ada', path: members(unknownId), status: 404, code: 'GROUP_NOT_FOUND' },
  { name: 'who is no member', as: 'eli', path: members(), status: 404, code: 'GROUP_NOT_FOUND' },
  { name: 'a manager who is no member', as: 'dana', path: members(), status: 404, code: 'GROUP_NOT_FOUND' },
  { name: 'an agent', as: 'bot', path: members(), status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
])

const bodies = [
  ['no body', undefined, 'MALFORMED_REQUEST', undefined],
  ['no entities', {}, 'MALFORMED_REQUEST', 'entities'],
  ['an item that is no object', { entities: [7] }, 'MALFORMED_REQUEST', 'entities[0]'],
  ['an item without an entity', { entities: [{}] }, 'MALFORMED_REQUEST', 'entities[0].entity'],
  [
    'another kind',
    { entities: [{ entity: { entityType: 'toString', entityId: unknownId } }] },
    'MALFORMED_REQUEST',
    'entities[0].entity.entityType',
  ],
  [
    'an id that is no uuid',
    { entities: [{ entity: { entityType: 'human', entityId: 'ben' } }] },
    'REQUEST_INVALID_ENTITY_UUID',
    'entities[0].entity.entityId',
  ],
] as const

for (const method of ['POST', 'DELETE'] as const) {
  table<Who>(`${method} /groups/{groupId}/entities`, setting, [
    ...callerCases<Who>(members('x'), 'nobody', 'gone'),
    ...bodies.map(([name, body, code, field]): Case<Who> => {
      return { name, as: 'bot', path: members(), body: () => body, status: 400, code, ...(field && { field }) }
    }),
    { name: 'a name', as: 'bot', path: members('security'), status: 400, code: 'REQUEST_INVALID_GROUP_UUID' },
    ...(
      [
        ['an agent', 'bot', 403, 'REQUESTOR_NOT_AUTHORIZED'],
        ['a member who does not manage it', 'cleo', 403, 'REQUESTOR_NOT_AUTHORIZED'],
        ['a manager who is no member', 'dana', 404, 'GROUP_NOT_FOUND'],
        ['who is neither', 'eli', 404, 'GROUP_NOT_FOUND'],
      ] as const
    ).map(([name, as, status, code]): Case<Who> => {
      return { name, as, path: members(), body: () => ({ entities: [human(cast.ada)] }), status, code }
    }),
    {
      name: 'unknown',
      as: 'ada',
      path: members(unknownId),
      body: () => ({ entities: [human(cast.ada)] }),
      status: 404,
      code: 'GROUP_NOT_FOUND',
    },
  ])
}

table<Who>('POST /groups/{groupId}/entities', setting, [
  {
    name: 'its manager adds a person and an agent',
    as: 'ben',
    path: members(),
    body: () => ({ entities: [human(cast.eli), { entity: { entityType: 'system', entityId: cast.bot.id } }] }),
    status: 200,
    check: async (answer) => {
      expect(answer.body).toMatchObject({ id: ids.security, entitiesCount: 4 })
      const list = await cast.cleo.get(members()())
      expect(list.body.entities.map((item: { entity: object }) => item.entity)).toContainEqual(robot(cast.bot).entity)
      expect(list.body.pagination.total).toBe(4)
      expect((await leavesOf(world, ids.security)).at(-1)).toBe('memberships.added')
    },
  },
  ...(
    [
      ['a user who is not there', () => [human({ id: unknownId })], 400, 'USER_NOT_FOUND', 0],
      ['an agent that is not there', () => [human(cast.ada), robot({ id: unknownId })], 400, 'AGENT_NOT_FOUND', 1],
      ['a user called an agent', () => [robot(cast.ada)], 400, 'AGENT_NOT_FOUND', 0],
      ['an agent called a user', () => [human(cast.bot)], 400, 'USER_NOT_FOUND', 0],
      ['a member', () => [human(cast.ada), human(cast.cleo)], 409, 'MEMBERSHIP_ENTITY_ALREADY_IN_GROUP', 1],
      ['one entity twice', () => [human(cast.ada), human(cast.ada)], 409, 'MEMBERSHIP_DUPLICATED_MEMBERSHIP', 1],
    ] as const
  ).map(([name, entities, status, code, index]): Case<Who> => {
    const field = `entities[${index}].entity.entityId`
    return { name, as: 'ben', path: members(), body: () => ({ entities: entities() }), status, code, field }
  }),
  {
    name: 'who is not there is told before whether the group is',
    as: 'eli',
    path: members(unknownId),
    body: () => ({ entities: [human({ id: unknownId })] }),
    status: 400,
    code: 'USER_NOT_FOUND',
  },
])

table<Who>('DELETE /groups/{groupId}/entities', setting, [
  {
    name: 'its manager takes a person and an agent out',
    as: 'ben',
    path: members(),
    body: () => ({ entities: [human(cast.eli), robot(cast.bot), human(cast.eli)] }),
    status: 200,
    check: async (answer) => {
      expect(answer.body).toMatchObject({ id: ids.security, entitiesCount: 2 })
      expect((await leavesOf(world, ids.security)).at(-1)).toBe('memberships.removed')
    },
  },
  ...(
    [
      ['who is no member', () => [human(cast.cleo), human(cast.ada)], 1],
      ['who is not there', () => [human({ id: unknownId })], 0],
      ['a member of the other kind', () => [robot(cast.cleo)], 0],
    ] as const
  ).map(([name, entities, index]): Case<Who> => {
    const field = `entities[${index}].entity.entityId`
    const body = () => ({ entities: entities() })
    return { name, as: 'ben', path: members(), body, status: 409, code: 'MEMBERSHIP_NOT_FOUND', field }
  }),
  {
    name: 'the last manager among the members, though one outside could manage it',
    as: 'ada',
    path: members(),
    body: () => ({ entities: [human(cast.ben)] }),
    status: 400,
    code: 'MEMBERSHIP_NO_ADMIN',
  },
  {
    name: 'the last manager with everyone else',
    as: 'ben',
    path: members(),
    body: () => ({ entities: [human(cast.cleo), human(cast.ben)] }),
    status: 400,
    code: 'MEMBERSHIP_NO_ADMIN',
  },
])

describe('DELETE /groups/{groupId}/entities', () => {
  test('lets a manager go when another stays', async () => {
    await cast.ada.post(members()(), { entities: [human(cast.dana)] })
    expect(await cast.dana.delete(members()(), { entities: [human(cast.ben)] })).toMatchObject({ status: 200 })
    expect(await cast.dana.post(members()(), { entities: [human(cast.ben)] })).toMatchObject({ status: 200 })
    expect(await cast.ben.delete(members()(), { entities: [human(cast.dana)] })).toMatchObject({ status: 200 })
  })

  test('lets members go down to an empty group when none of them manages it', async () => {
    const id = madeId(await cast.eli.post('/groups', { name: 'passing' }))
    await cast.ada.post(`/groups/${id}/entities`, { entities: [robot(cast.bot)] })
    await cast.ada.put(`/users/${cast.eli.id}/roles`, {
      roles: [{ roleName: 'AuditorViewer', scope: { type: 'org' } }],
    })
    const answer = await cast.ada.delete(`/groups/${id}/entities`, { entities: [human(cast.eli), robot(cast.bot)] })
    expect(answer).toMatchObject({ status: 200, body: { entitiesCount: 0 } })
  })
})

test('no entities change nothing', async () => {
  const before = await leavesOf(world, ids.security)
  for (const method of ['post', 'delete'] as const) {
    expect(await cast.ben[method](members()(), { entities: [] })).toMatchObject({ status: 200 })
  }
  expect(await leavesOf(world, ids.security)).toEqual(before)
})

test('POST /groups 403 QUOTA_EXCEEDED: a name that is taken is told first', async () => {
  const drop = await quota(world, 'MAX_GROUPS', 0)
  const full = await cast.eli.post('/groups', { name: 'late' })
  expect(full).toMatchObject({ status: 403, body: { code: 'QUOTA_EXCEEDED' } })
  expect(await cast.eli.post('/groups', { name: 'security' })).toMatchObject({ status: 409 })
  await drop()
  expect(await cast.eli.post('/groups', { name: 'late' })).toMatchObject({ status: 201 })
})

test('POST /groups/{groupId}/entities 403 QUOTA_EXCEEDED: all or nothing, by the nearest quota', async () => {
  const dropOrg = await quota(world, 'MAX_ENTITIES_PER_GROUP', 0)
  const dropGroup = await quota(world, 'MAX_ENTITIES_PER_GROUP', 3, 'Group', ids.security)
  const both = { entities: [human(cast.ada), robot(cast.bot)] }
  expect(await cast.ben.post(members()(), both)).toMatchObject({ status: 403, body: { code: 'QUOTA_EXCEEDED' } })
  expect(await cast.ben.post(members()(), { entities: [human(cast.ada)] })).toMatchObject({ status: 200 })
  expect(await cast.ben.post(members()(), { entities: [human(cast.cleo)] })).toMatchObject({ status: 409 })
  await dropGroup()
  expect(await cast.ben.post(members()(), { entities: [robot(cast.bot)] })).toMatchObject({ status: 403 })
  await dropOrg()
})

test('POST /groups is done once under one Idempotency-Key', async () => {
  const key = { 'idempotency-key': 'make-once' }
  const first = await cast.eli.post('/groups', { name: 'once' }, key)
  const again = await cast.eli.post('/groups', { name: 'once' }, key)
  expect(madeId(again)).toBe(madeId(first))
  expect(await leavesOf(world, madeId(first))).toEqual(['group.created'])
  const reused = await cast.eli.post('/groups', { name: 'twice' }, key)
  expect(reused).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } })
  // The key is the caller's own, and a refused call does not use it up.
  expect(await cast.ben.post('/groups', { name: 'once' }, key)).toMatchObject({ status: 409 })
  expect(await cast.ben.post('/groups', { name: 'twice' }, key)).toMatchObject({ status: 201 })
})
