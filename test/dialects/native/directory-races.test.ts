import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultOrganization } from '../../../src/identity/organization.ts'
import { requireQuota } from '../../../src/identity/require-quota.ts'
import { agent, leavesOf, madeId, quota, unknownId } from '../../helpers/directory.ts'
import { startWorld, type Answer, type Client, type World } from '../../helpers/world.ts'

// Many calls at once on a real PostgreSQL: the embedded engine has one connection, so nothing there ever meets.
let world: World
let ada: Client
let ben: Client

beforeAll(async () => {
  world = await startWorld({ engine: 'postgres' })
  ada = await world.person('Ada', { admin: true })
  ben = await world.person('Ben')
})
afterAll(() => world.close())

const admins = '/organization/default/admins'
const times = async (count: number, call: (index: number) => Promise<Answer>) =>
  await Promise.all(Array.from({ length: count }, async (_, index) => await call(index)))
const tally = (answers: readonly Answer[]) => {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const key = status < 300 ? String(status) : `${status} ${body.code}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}
const human = (id: string) => ({ entity: { entityType: 'human', entityId: id } })

test('one admin is left when all of them are removed at once', async () => {
  const others = [ada]
  for (const name of ['Fay', 'Gil', 'Hal']) others.push(await world.person(name, { admin: true }))
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(others.map(async (admin) => admin.delete(admins, { userId: admin.id })))
    expect(tally(answers)).toEqual({ '204': others.length - 1, '409 ORGANIZATION_ADMIN_IS_LAST': 1 })
    const survivor = others[answers.findIndex((answer) => answer.status === 409)] as Client
    for (const { id } of others) {
      const { email } = (await survivor.get(`/users/${id}`)).body
      if (id !== survivor.id) expect(await survivor.post(admins, { email })).toMatchObject({ status: 201 })
    }
  }
})

test('of two admins who remove each other at once, the second is told that they are none', async () => {
  const eve = await world.person('Eve', { admin: true })
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all([ada.delete(admins, { userId: eve.id }), eve.delete(admins, { userId: ada.id })])
    expect(tally(answers)).toEqual({ '204': 1, '403 REQUESTOR_NOT_AUTHORIZED': 1 })
    const [survivor, email] = answers[0].status === 204 ? [ada, 'eve@example.com'] : [eve, 'ada@example.com']
    await survivor.post(admins, { email })
  }
})

test('the same people let into two groups at once, in turned order, all come in', async () => {
  const groups = [
    madeId(await ben.post('/groups', { name: 'left' })),
    madeId(await ben.post('/groups', { name: 'right' })),
  ]
  const bots = await Promise.all(Array.from({ length: 20 }, async (_, index) => agent(world, `twice-${index}`, ben)))
  const entities = bots.map(({ id }) => ({ entity: { entityType: 'agent', entityId: id } }))
  for (let round = 0; round < 20; round++) {
    const turned = [entities, entities.toReversed()]
    const came = await times(2, async (index) =>
      ben.post(`/groups/${groups[index]}/entities`, { entities: turned[index] }),
    )
    const left = await times(2, async (index) =>
      ben.delete(`/groups/${groups[index]}/entities`, { entities: turned[1 - index] }),
    )
    expect(tally([...came, ...left])).toEqual({ '200': 4 })
  }
})

test('member_count is what there is after members came and went at once', async () => {
  const id = madeId(await ben.post('/groups', { name: 'busy' }))
  const entities = `/groups/${id}/entities`
  const agents = await Promise.all(Array.from({ length: 12 }, async (_, index) => agent(world, `bot-${index}`, ben)))
  const robot = (index: number) => ({ entity: { entityType: 'agent', entityId: agents[index]?.id } })
  await ben.post(entities, { entities: [robot(0), robot(1), robot(2)] })
  const answers = await times(24, async (index) => {
    // Each of the twelve is added twice, three are taken out, so some calls must lose.
    if (index < 3) return await ben.delete(entities, { entities: [robot(index)] })
    return await ben.post(entities, { entities: [robot(index % 12)] })
  })
  expect(Object.keys(tally(answers)).toSorted()).toEqual(['200', '409 MEMBERSHIP_ENTITY_ALREADY_IN_GROUP'])
  const rows = await world.ctx.db.selectFrom('memberships').select('principal_id').where('group_id', '=', id).execute()
  const group = await ben.get(`/groups/${id}`)
  expect(group.body.entitiesCount).toBe(rows.length)
  expect((await ben.get(entities)).body.pagination.total).toBe(rows.length)
})

test('a group is never left without a manager among its members by two who remove each other', async () => {
  for (let round = 0; round < 5; round++) {
    const id = madeId(await ben.post('/groups', { name: `pair-${round}` }))
    const cleo = await world.person(`Cleo${round}`)
    const manages = { roleName: 'GroupManager', scope: { type: 'group', groupId: id } }
    await ada.put(`/users/${cleo.id}/roles`, { roles: [manages] })
    await ben.post(`/groups/${id}/entities`, { entities: [human(cleo.id)] })
    const answers = await Promise.all([
      ben.delete(`/groups/${id}/entities`, { entities: [human(cleo.id)] }),
      cleo.delete(`/groups/${id}/entities`, { entities: [human(ben.id)] }),
    ])
    // Whoever comes second is no member any more, and must not learn that the group exists.
    expect(tally(answers)).toEqual({ '200': 1, '404 GROUP_NOT_FOUND': 1 })
  }
})

test('of role changes under one version exactly one is made', async () => {
  const { concurrencyControl } = (await ada.get(`/users/${ben.id}`)).body
  const before = (await leavesOf(world, ben.id)).length
  const answers = await times(8, async (index) => {
    const roles = [{ roleName: 'SpaceReadOnly', scope: { type: 'space', spaceId: world.ctx.newId() } }]
    const call = index % 2 === 0 ? ada.put : ada.delete
    return await call(`/users/${ben.id}/roles`, { roles, concurrencyControl })
  })
  expect(tally(answers)).toEqual({ '204': 1, '409 CONCURRENT_MODIFICATION_ERROR': 7 })
  expect((await leavesOf(world, ben.id)).length - before).toBeLessThanOrEqual(2)
  const after = (await ada.get(`/users/${ben.id}`)).body.concurrencyControl
  expect(BigInt(after.version)).toBe(BigInt(concurrencyControl.version) + 1n)
})

test('roles replaced at once never mix', async () => {
  const sets = Array.from({ length: 8 }, () =>
    Array.from({ length: 3 }, () => ({
      roleName: 'SpaceReadOnly',
      scope: { type: 'space', spaceId: world.ctx.newId() },
    })),
  )
  const answers = await times(sets.length, async (index) => ada.put(`/users/${ben.id}/roles`, { roles: sets[index] }))
  expect(tally(answers)).toEqual({ '204': 8 })
  const { roles } = (await ada.get(`/users/${ben.id}`)).body
  expect(sets).toContainEqual(roles)
})

const quotas = [
  {
    type: 'MAX_GROUPS',
    call: (index: number) => ben.post('/groups', { name: `quota-${index}` }),
    usage: async () => (await world.ctx.db.selectFrom('groups').select('id').execute()).length,
    made: '201',
  },
  {
    type: 'MAX_SPACES',
    call: (index: number) => ben.post('/spaces', { name: `quota-${index}` }),
    usage: async () => (await world.ctx.db.selectFrom('spaces').select('id').execute()).length,
    made: '201',
  },
] as const
for (const { type, call, usage, made } of quotas) {
  test(`${type} is never exceeded by calls that come at once`, async () => {
    const limit = (await usage()) + 3
    const drop = await quota(world, type, limit)
    expect(tally(await times(12, call))).toEqual({ [made]: 3, '403 QUOTA_EXCEEDED': 9 })
    expect(await usage()).toBe(limit)
    await drop()
  })
}

test('MAX_ENTITIES_PER_GROUP is never exceeded by calls that come at once', async () => {
  const id = madeId(await ben.post('/groups', { name: 'narrow' }))
  const people = await Promise.all(Array.from({ length: 9 }, async (_, index) => world.person(`Narrow${index}`)))
  const drop = await quota(world, 'MAX_ENTITIES_PER_GROUP', 4, 'Group', id)
  const answers = await times(9, (index) =>
    ada.post(`/groups/${id}/entities`, { entities: [human(people[index]?.id ?? '')] }),
  )
  expect(tally(answers)).toEqual({ '200': 3, '403 QUOTA_EXCEEDED': 6 })
  await drop()
})

test('a check against no quota holds nobody up', async () => {
  const { id: orgId } = defaultOrganization
  await world.ctx.db.transaction().execute(async (tx) => {
    await requireQuota(tx, orgId, 'MAX_GROUPS', [], () => Promise.reject(new Error('counted for nothing')), 1)
    expect(await ben.post('/groups', { name: 'free' })).toMatchObject({ status: 201 })
  })
})

test('one name is given once', async () => {
  const calls = ['/groups', '/spaces'].map(async (path) =>
    tally(await times(6, async (index) => (index % 2 === 0 ? ada : ben).post(path, { name: 'wanted' }))),
  )
  expect(await Promise.all(calls)).toEqual([
    { '201': 1, '409 GROUP_ALREADY_EXISTS': 5 },
    { '201': 1, '409 SPACE_ALREADY_EXISTS': 5 },
  ])
  const user = { displayName: 'W', email: 'wanted@example.com', orgRole: 'member' }
  expect(tally(await times(6, async () => ada.post('/users', user)))).toEqual({
    '201': 1,
    '409 USER_ALREADY_EXISTS': 5,
  })
})

test('one Idempotency-Key makes one group, however often it is sent at once', async () => {
  const key = { 'idempotency-key': 'at-once' }
  const answers = await times(6, async () => ben.post('/groups', { name: 'same' }, key))
  expect(new Set(answers.map(madeId)).size).toBe(1)
})

test('a space goes while groups, roles and users come', async () => {
  const id = madeId(await ben.post('/spaces', { name: 'Going' }))
  const roles = [{ roleName: 'SpaceReadOnly', scope: { type: 'space', spaceId: id } }]
  const answers = await Promise.all([
    ada.delete(`/spaces/${id}`),
    ...Array.from({ length: 4 }, async (_, index) => ben.post('/groups', { name: `with-${index}` })),
    ada.put(`/users/${ben.id}/roles`, { roles }),
    ada.put(`/users/${unknownId}/roles`, { roles }),
  ])
  expect(tally(answers)).toEqual({ '201': 4, '204': 2, '404 USER_NOT_FOUND': 1 })
})

test('what takes eligibility away waits for the votes in hand; what gives it does not', async () => {
  const cleo = await world.person('Vera')
  const groupId = madeId(await ada.post('/groups', { name: 'voting' }))
  const spaceId = madeId(await ada.post('/spaces', { name: 'Voting' }))
  await ada.post(`/groups/${groupId}/entities`, { entities: [human(cleo.id)] })
  const roles = [{ roleName: 'SpaceReadOnly', scope: { type: 'space', spaceId } }]
  const taking = [
    () => ada.delete(`/groups/${groupId}/entities`, { entities: [human(cleo.id)] }),
    () => ada.put(`/users/${cleo.id}/roles`, { roles }),
    () => ada.delete(`/users/${cleo.id}/roles`, { roles }),
    () => ada.delete(`/spaces/${spaceId}`),
  ]
  for (const take of taking) {
    const { call, wasWaiting } = await world.ctx.db.transaction().execute(async (vote) => {
      await sql`select pg_advisory_xact_lock_shared(hashtextextended(${defaultOrganization.id}, 0))`.execute(vote)
      const started = take()
      expect(await ben.post('/groups', { name: `meanwhile-${taking.indexOf(take)}` })).toMatchObject({ status: 201 })
      const later = new Promise<'waiting'>((resolve) => setTimeout(() => resolve('waiting'), 100))
      return { call: started, wasWaiting: await Promise.race([started, later]) }
    })
    expect(wasWaiting).toBe('waiting')
    expect((await call).status).toBeLessThan(300)
  }
})
