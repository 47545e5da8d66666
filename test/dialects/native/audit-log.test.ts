import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultOrganization } from '../../../src/identity/organization.ts'
import { agent, callerCases, ghost, madeId, table, template, unknownId, type Case } from '../../helpers/directory.ts'
import { startWorld, type Answer, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'audrey' | 'bot'

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Client>
const ids = { space: '', group: '' }
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Client> })

/** One of each of the nine types, a second apart; Audrey may read the log. */
beforeAll(async () => {
  world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const audrey = await world.person('Audrey')
  cast = { ada, ben, audrey, bot: await agent(world, 'bot', ben), gone: await ghost(world) }
  const org = { type: 'org' }
  const done = async (answer: Promise<Answer>) => {
    const { status, body } = await answer
    if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`)
    world.clock.advance(1000)
    return await answer
  }
  ids.space = madeId(await done(ben.post('/spaces', { name: 'Payments' })))
  await template(world, 'Release', ids.space)
  ids.group = madeId(await done(ben.post('/groups', { name: 'guards', description: 'at night' })))
  const entity = (entityType: string, { id }: Client) => ({ entity: { entityType, entityId: id } })
  const both = { entities: [entity('human', audrey), entity('agent', cast.bot)] }
  await done(ben.post(`/groups/${ids.group}/entities`, both))
  await done(ben.delete(`/groups/${ids.group}/entities`, { entities: [entity('agent', cast.bot)] }))
  const onTemplate = {
    roleName: 'WorkflowTemplateVoter',
    scope: { type: 'workflow_template', templateName: 'Release' },
  }
  const roles = [
    { roleName: 'AuditorViewer', scope: org },
    { roleName: 'SpaceReadOnly', scope: { type: 'space', spaceId: ids.space } },
    { roleName: 'GroupReadOnly', scope: { type: 'group', groupId: ids.group } },
    onTemplate,
  ]
  await done(ada.put(`/users/${audrey.id}/roles`, { roles }))
  await done(ada.delete(`/users/${audrey.id}/roles`, { roles: [onTemplate, { roleName: 'SpaceManager', scope: org }] }))
  await done(ada.put(`/agents/${cast.bot.id}/roles`, { roles: [onTemplate] }))
  await done(ada.delete(`/agents/${cast.bot.id}/roles`, { roles: [onTemplate] }))
  const short = madeId(await done(ben.post('/spaces', { name: 'Short' })))
  await done(ben.delete(`/spaces/${short}`))
})
afterAll(() => world.close())

const newestFirst = [
  'SPACE_DELETED',
  'SPACE_CREATED',
  'AGENT_ROLES_REMOVED',
  'AGENT_ROLES_ASSIGNED',
  'USER_ROLES_REMOVED',
  'USER_ROLES_ASSIGNED',
  'MEMBERSHIPS_REMOVED',
  'MEMBERSHIPS_ADDED',
  'GROUP_CREATED',
  'SPACE_CREATED',
]
const logs = (query = '') => `/audit-logs${query}`
const typesOf = ({ body }: Answer) => body.auditLogs.map((entry: { auditType: string }) => entry.auditType)
const shows =
  (...types: string[]) =>
  (answer: Answer) =>
    expect(typesOf(answer)).toEqual(types)
const filtered = (name: string, query: () => string, types: string[]): Case<Who> => {
  return { name, as: 'ada', path: () => logs(query()), status: 200, check: shows(...types) }
}

table<Who>('GET /audit-logs', setting, [
  {
    name: 'the nine types with their targets, actors and payloads, newest first',
    as: 'audrey',
    path: logs,
    status: 200,
    check: ({ body }) => {
      expect(body.pagination).toEqual({ hasMore: false })
      const [ben, ada] = [cast.ben, cast.ada].map(({ id }) => ({ id, type: 'user' }))
      const user = { type: 'USER', id: cast.audrey.id }
      const bot = { type: 'AGENT', id: cast.bot.id }
      const group = { type: 'GROUP', id: ids.group }
      const human = { entityId: cast.audrey.id, entityType: 'human' }
      const machine = { entityId: cast.bot.id, entityType: 'agent' }
      const voter = {
        roleName: 'WorkflowTemplateVoter',
        scope: { type: 'workflow_template', templateName: 'Release' },
      }
      const at = (second: number) => `2026-11-21T12:00:0${second}.000Z`
      const id = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7000-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      const rows = body.auditLogs.toReversed()
      expect(rows[0]).toEqual({
        id,
        auditType: 'SPACE_CREATED',
        target: { type: 'SPACE', id: ids.space },
        actor: ben,
        createdAt: at(0),
        payload: { name: 'Payments', description: null },
      })
      expect(rows[1]).toEqual({
        id,
        auditType: 'GROUP_CREATED',
        target: group,
        actor: ben,
        createdAt: at(1),
        payload: { name: 'guards', description: 'at night' },
      })
      expect(rows[2]).toMatchObject({ target: group, actor: ben, payload: { members: [human, machine] } })
      expect(rows[3]).toMatchObject({ target: group, actor: ben, payload: { members: [machine] } })
      expect(rows[4]).toMatchObject({ auditType: 'USER_ROLES_ASSIGNED', target: user, actor: ada })
      expect(rows[4].payload).toEqual({
        roles: expect.arrayContaining([
          { roleName: 'AuditorViewer', scope: { type: 'org' } },
          { roleName: 'SpaceReadOnly', scope: { type: 'space', spaceId: ids.space } },
          { roleName: 'GroupReadOnly', scope: { type: 'group', groupId: ids.group } },
          voter,
        ]),
      })
      expect(rows[4].payload.roles).toHaveLength(4)
      expect(rows[5]).toMatchObject({ auditType: 'USER_ROLES_REMOVED', target: user })
      // What they did not hold was not removed.
      expect(rows[5].payload).toEqual({ roles: [voter] })
      expect(rows[6]).toMatchObject({ auditType: 'AGENT_ROLES_ASSIGNED', target: bot, payload: { roles: [voter] } })
      expect(rows[7]).toMatchObject({ auditType: 'AGENT_ROLES_REMOVED', target: bot, payload: { roles: [voter] } })
      expect(rows[9]).toMatchObject({ auditType: 'SPACE_DELETED', createdAt: at(9), payload: {} })
      expect(body.auditLogs.map((entry: { auditType: string }) => entry.auditType)).toEqual(newestFirst)
    },
  },
  filtered('one type', () => '?auditTypes=GROUP_CREATED', ['GROUP_CREATED']),
  filtered('a type of users is not that of agents', () => '?auditTypes=USER_ROLES_ASSIGNED', ['USER_ROLES_ASSIGNED']),
  filtered('a type of agents', () => '?auditTypes=AGENT_ROLES_REMOVED', ['AGENT_ROLES_REMOVED']),
  filtered('any of two types', () => '?auditTypes=SPACE_DELETED&auditTypes=GROUP_CREATED', [
    'SPACE_DELETED',
    'GROUP_CREATED',
  ]),
  filtered('a space', () => `?targets=SPACE:${ids.space}`, ['SPACE_CREATED']),
  filtered('a group', () => `?targets=GROUP:${ids.group}`, [
    'MEMBERSHIPS_REMOVED',
    'MEMBERSHIPS_ADDED',
    'GROUP_CREATED',
  ]),
  filtered('a user in any case', () => `?targets=USER:${cast.audrey.id.toUpperCase()}`, [
    'USER_ROLES_REMOVED',
    'USER_ROLES_ASSIGNED',
  ]),
  filtered('an agent, or a space', () => `?targets=AGENT:${cast.bot.id}&targets=SPACE:${ids.space}`, [
    'AGENT_ROLES_REMOVED',
    'AGENT_ROLES_ASSIGNED',
    'SPACE_CREATED',
  ]),
  filtered('an agent’s id as a user’s', () => `?targets=USER:${cast.bot.id}`, []),
  filtered('a group’s id as a space’s', () => `?targets=SPACE:${ids.group}`, []),
  filtered('an unknown target', () => `?targets=SPACE:${unknownId}`, []),
  filtered('who did it', () => `?actors=user:${cast.ada.id}`, newestFirst.slice(2, 6)),
  filtered('any of two', () => `?actors=user:${cast.ada.id}&actors=user:${cast.ben.id}`, newestFirst),
  filtered('a user’s id as an agent’s', () => `?actors=agent:${cast.ada.id}`, []),
  filtered('who did it, and one type', () => `?actors=user:${cast.ada.id}&auditTypes=AGENT_ROLES_REMOVED`, [
    'AGENT_ROLES_REMOVED',
  ]),
  filtered('all filters together', () => `?actors=user:${cast.ben.id}&targets=USER:${cast.audrey.id}`, []),
  filtered(
    'all filters together, with something left',
    () => `?actors=user:${cast.ada.id}&targets=USER:${cast.audrey.id}&auditTypes=USER_ROLES_REMOVED`,
    ['USER_ROLES_REMOVED'],
  ),
  ...callerCases<Who>(() => logs('?limit=0'), 'nobody', 'gone'),
  ...(
    [
      ['cursor=x', 'INVALID_CURSOR', 'cursor'],
      ['cursor=', 'INVALID_CURSOR', 'cursor'],
      [`cursor=${btoa(`2026-13-41T12:00:00.000Z_${unknownId}`)}`, 'INVALID_CURSOR', 'cursor'],
      [`cursor=${btoa(`2026-11-21T12:00:00.000Z_${unknownId}`)}`, 'INVALID_CURSOR', 'cursor'],
      [`cursor=${btoa('2026-11-21T12:00:00.000Z_17')}`, 'INVALID_CURSOR', 'cursor'],
      ['limit=0', 'INVALID_LIMIT', 'limit'],
      ['limit=101', 'INVALID_LIMIT', 'limit'],
      ['limit=x', 'INVALID_LIMIT', 'limit'],
      ['targets=', 'INVALID_TARGETS', 'targets'],
      ['targets=SPACE', 'INVALID_TARGETS', 'targets'],
      ['targets=SPACE:x', 'INVALID_TARGETS', 'targets'],
      [`targets=space:${unknownId}`, 'INVALID_TARGETS', 'targets'],
      [`targets=SPACE:${unknownId}&targets=x`, 'INVALID_TARGETS', 'targets'],
      [`actors=USER:${unknownId}`, 'INVALID_ACTORS', 'actors'],
      ['actors=user:', 'INVALID_ACTORS', 'actors'],
      ['auditTypes=', 'INVALID_AUDIT_TYPES', 'auditTypes'],
      ['auditTypes=VOTE_CAST', 'INVALID_AUDIT_TYPES', 'auditTypes'],
      ['auditTypes=toString', 'INVALID_AUDIT_TYPES', 'auditTypes'],
    ] as const
  ).map(([query, code, field]): Case<Who> => {
    return { name: query, as: 'bot', path: () => logs(`?${query}`), status: 400, code, field }
  }),
  { name: 'a plain member', as: 'ben', path: logs, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
  { name: 'an agent', as: 'bot', path: logs, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
])

table<Who>('GET /audit-logs/me', setting, [
  { name: 'what they did', as: 'ada', path: () => logs('/me'), status: 200, check: shows(...newestFirst.slice(2, 6)) },
  { name: 'for everyone', as: 'bot', path: () => logs('/me'), status: 200, check: shows() },
  {
    name: 'whoever else is asked for',
    as: 'ben',
    path: () => logs(`/me?actors=user:${cast.ada.id}&actors=x`),
    status: 200,
    check: shows('SPACE_DELETED', 'SPACE_CREATED', ...newestFirst.slice(6)),
  },
  {
    name: 'with filters',
    as: 'ben',
    path: () => logs(`/me?targets=GROUP:${ids.group}&auditTypes=GROUP_CREATED`),
    status: 200,
    check: shows('GROUP_CREATED'),
  },
  ...callerCases<Who>(() => logs('/me?limit=0'), 'nobody', 'gone'),
  ...(
    [
      ['cursor=x', 'INVALID_CURSOR', 'cursor'],
      ['limit=101', 'INVALID_LIMIT', 'limit'],
      ['targets=x', 'INVALID_TARGETS', 'targets'],
      ['auditTypes=x', 'INVALID_AUDIT_TYPES', 'auditTypes'],
    ] as const
  ).map(([query, code, field]): Case<Who> => {
    return { name: query, as: 'bot', path: () => logs(`/me?${query}`), status: 400, code, field }
  }),
])

async function walk(path: string, limit: number): Promise<{ ids: string[]; pages: number[]; cursors: string[] }> {
  const seen: { ids: string[]; pages: number[]; cursors: string[] } = { ids: [], pages: [], cursors: [] }
  for (let cursor: string | undefined; ;) {
    const more = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const { status, body } = await cast.ada.get(`${path}?limit=${limit}${more}`)
    expect(status).toBe(200)
    seen.pages.push(body.auditLogs.length)
    seen.ids.push(...body.auditLogs.map((entry: { id: string }) => entry.id))
    if (!body.pagination.hasMore) {
      expect(body.pagination).toEqual({ hasMore: false })
      return seen
    }
    cursor = body.pagination.nextCursor as string
    seen.cursors.push(cursor)
  }
}

test('pages follow each other without a gap or a repetition, as the ids sort, and a full last page has no next one', async () => {
  const all = (await cast.ada.get('/audit-logs')).body.auditLogs.map((entry: { id: string }) => entry.id)
  expect(all).toHaveLength(10)
  expect(all).toEqual(all.toSorted().toReversed())
  const byFour = await walk('/audit-logs', 4)
  expect(byFour).toMatchObject({ ids: all, pages: [4, 4, 2] })
  expect(atob(byFour.cursors[0] ?? '')).toBe(`2026-11-21T12:00:06.000Z_${all[3]}`)
  expect(await walk('/audit-logs', 5)).toMatchObject({ ids: all, pages: [5, 5] })
})

test('entries of one instant are paged by their ids', async () => {
  await using busy = await startWorld()
  const ada = await busy.person('Ada', { admin: true })
  for (let index = 0; index < 5; index++) await ada.post('/groups', { name: `g${index}` })
  const first = (await ada.get('/audit-logs/me?limit=2')).body
  const names = (body: Answer['body']) =>
    body.auditLogs.map((entry: { payload: { name: string } }) => entry.payload.name)
  expect(names(first)).toEqual(['g4', 'g3'])
  const second = (await ada.get(`/audit-logs/me?limit=2&cursor=${first.pagination.nextCursor}`)).body
  expect(names(second)).toEqual(['g2', 'g1'])
  const third = (await ada.get(`/audit-logs/me?limit=2&cursor=${second.pagination.nextCursor}`)).body
  expect(names(third)).toEqual(['g0'])
})

test('an entry whose text was erased is shown without it', async () => {
  await using erased = await startWorld()
  const ada = await erased.person('Ada', { admin: true })
  await ada.post('/groups', { name: 'secret', description: 'more' })
  await erased.ctx.db.updateTable('audit_leaves').set({ private: null }).execute()
  const [entry] = (await ada.get('/audit-logs')).body.auditLogs
  expect(entry).toMatchObject({ auditType: 'GROUP_CREATED', payload: { name: '', description: null } })
})

test('what another organization did is not shown, nor what the server did by itself', async () => {
  const { db } = world.ctx
  const before = typesOf(await cast.ada.get('/audit-logs'))
  const leaf = (org: string, actor: object) => ({
    org_id: org,
    kind: 'space.deleted',
    subject_id: unknownId,
    content: JSON.stringify({ actor, facts: {} }),
    created_at: world.clock.now(),
  })
  const foreign = leaf(world.ctx.newId(), { kind: 'human', id: cast.ada.id })
  const own = leaf(defaultOrganization.id, { kind: 'system' })
  await db.insertInto('audit_leaves').values([foreign, own]).execute()
  expect(typesOf(await cast.ada.get('/audit-logs'))).toEqual(before)
  expect(typesOf(await cast.ada.get('/audit-logs/me'))).toEqual(before.slice(2, 6))
})

test('entries are read for seven days', async () => {
  const week = 7 * 86_400_000
  const start = new Date('2026-11-21T12:00:00.000Z')
  world.clock.set(new Date(start.getTime() + week))
  const ada = await world.signedIn(cast.ada.id)
  expect(typesOf(await ada.get('/audit-logs'))).toEqual(newestFirst)
  world.clock.advance(1)
  expect(typesOf(await ada.get('/audit-logs'))).toEqual(newestFirst.slice(0, -1))
  world.clock.advance(9_000)
  expect((await ada.get('/audit-logs')).body).toEqual({ auditLogs: [], pagination: { hasMore: false } })
})
