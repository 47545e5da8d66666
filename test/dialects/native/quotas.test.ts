import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultOrganization } from '../../../src/identity/organization.ts'
import { findQuota, updateQuota } from '../../../src/store/quota-list.ts'
import { agent, callerCases, ghost, leavesOf, madeId, table, unknownId, type Case } from '../../helpers/directory.ts'
import { startWorld, type Answer, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'bot'

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Client>
const ids = { groups: '', group: '' }
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Client> })
const orgId = '00000000-0000-7000-8000-000000000000'
const groupId = '01890000-0000-7000-8000-00000000aaaa'

beforeAll(async () => {
  world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  cast = { ada, ben, bot: await agent(world, 'bot', ben), gone: await ghost(world) }
  const groups = { limit: 40, scope: 'Org', quotaType: 'MAX_GROUPS', targetId: unknownId }
  ids.groups = (await ada.post('/quotas', groups)).body.id
  world.clock.advance(1000)
  const group = { limit: 7, scope: 'Group', quotaType: 'MAX_ENTITIES_PER_GROUP', targetId: groupId }
  ids.group = (await ada.post('/quotas', group)).body.id
})
afterAll(() => world.close())

const quotas = () => '/quotas'
const good = { limit: 5, scope: 'Org', quotaType: 'MAX_SPACES', targetId: unknownId }
const without = (member: keyof typeof good) => ({ ...good, [member]: undefined })

table<Who>('POST /quotas', setting, [
  {
    name: 'the target of an organization-wide quota is the organization',
    as: 'ada',
    path: quotas,
    body: () => ({ ...good, more: 'ignored' }),
    status: 201,
    check: async ({ body }) => {
      expect(body).toEqual({
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
        limit: 5,
        quotaType: 'MAX_SPACES',
        scope: 'Org',
        targetId: orgId,
        createdAt: '2026-11-21T12:00:01.000Z',
        updatedAt: '2026-11-21T12:00:01.000Z',
      })
      expect(await leavesOf(world, body.id)).toEqual(['quota.created'])
      await cast.ada.delete(`/quotas/${body.id}`)
    },
  },
  ...callerCases<Who>(quotas, 'nobody', 'gone'),
  ...(
    [
      ['no body', undefined, 'MALFORMED_OBJECT', undefined],
      ['a list', [], 'MALFORMED_OBJECT', undefined],
      ['nothing at all', {}, 'MISSING_LIMIT', 'limit'],
      ['a negative limit', { ...good, limit: -1 }, 'INVALID_LIMIT', 'limit'],
      ['a broken limit', { ...good, limit: 1.5 }, 'INVALID_LIMIT', 'limit'],
      ['a limit as text', { ...good, limit: '5' }, 'INVALID_LIMIT', 'limit'],
      ['a limit past 2^53', { ...good, limit: 2 ** 53 }, 'INVALID_LIMIT', 'limit'],
      ['a bad limit before a missing scope', { limit: null }, 'INVALID_LIMIT', 'limit'],
      ['no scope', without('scope'), 'MISSING_SCOPE', 'scope'],
      ['an unknown scope', { ...good, scope: 'org' }, 'INVALID_SCOPE', 'scope'],
      ['no type', without('quotaType'), 'MISSING_QUOTATYPE', 'quotaType'],
      ['an unknown type', { ...good, quotaType: 'MAX_AGENTS' }, 'INVALID_QUOTATYPE', 'quotaType'],
      ['a type as list', { ...good, quotaType: ['MAX_SPACES'] }, 'INVALID_QUOTATYPE', 'quotaType'],
      ['no target, even for Org', without('targetId'), 'MISSING_TARGETID', 'targetId'],
      ['a target that is no uuid', { ...good, targetId: 'x' }, 'INVALID_TARGETID', 'targetId'],
    ] as const
  ).map(([name, body, code, field]): Case<Who> => {
    return { name, as: 'bot', path: quotas, body: () => body, status: 400, code, ...(field && { field }) }
  }),
  ...(
    [
      ['Space', 'MAX_GROUPS'],
      ['Space', 'MAX_VOTES_PER_WORKFLOW'],
      ['WorkflowTemplate', 'MAX_WORKFLOW_TEMPLATES_PER_SPACE'],
      ['WorkflowTemplate', 'MAX_VOTES_PER_WORKFLOW'],
      ['Workflow', 'MAX_CONCURRENT_WORKFLOWS'],
      ['Group', 'MAX_GROUPS'],
      ['User', 'MAX_ENTITIES_PER_GROUP'],
    ] as const
  ).map(([scope, quotaType]): Case<Who> => {
    return {
      name: `${quotaType} at ${scope}`,
      as: 'ada',
      path: quotas,
      body: () => ({ ...good, scope, quotaType }),
      status: 400,
      code: 'INVALID_SCOPE_QUOTATYPE_COMBINATION',
      field: 'quotaType',
    }
  }),
  ...(['ben', 'bot'] as const).map((as): Case<Who> => {
    return { name: as, as, path: quotas, body: () => good, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' }
  }),
  {
    name: 'the same type on the same target',
    as: 'ada',
    path: quotas,
    body: () => ({ ...good, quotaType: 'MAX_GROUPS', targetId: groupId }),
    status: 409,
    code: 'QUOTA_ALREADY_EXISTS',
  },
])

test('POST /quotas 201: every combination of contract §2.11, and no other', async () => {
  const types = {
    Space: ['MAX_WORKFLOW_TEMPLATES_PER_SPACE', 'MAX_CONCURRENT_WORKFLOWS'],
    WorkflowTemplate: ['MAX_CONCURRENT_WORKFLOWS'],
    Workflow: ['MAX_VOTES_PER_WORKFLOW'],
    Group: ['MAX_ENTITIES_PER_GROUP'],
    User: ['MAX_ROLES_PER_USER'],
    Org: [
      'MAX_SPACES',
      'MAX_WORKFLOW_TEMPLATES_PER_SPACE',
      'MAX_CONCURRENT_WORKFLOWS',
      'MAX_ENTITIES_PER_GROUP',
      'MAX_ROLES_PER_USER',
      'MAX_VOTES_PER_WORKFLOW',
    ],
  }
  for (const [scope, quotaTypes] of Object.entries(types)) {
    for (const quotaType of quotaTypes) {
      const { status, body } = await cast.ada.post('/quotas', { ...good, limit: 0, scope, quotaType })
      expect([scope, quotaType, status, body.limit]).toEqual([scope, quotaType, 201, 0])
      expect(body.targetId).toBe(scope === 'Org' ? orgId : unknownId)
      await cast.ada.delete(`/quotas/${body.id}`)
    }
  }
})

test('POST /quotas is done once under one Idempotency-Key', async () => {
  const key = { 'idempotency-key': 'quota' }
  const first = await cast.ada.post('/quotas', good, key)
  expect((await cast.ada.post('/quotas', good, key)).body).toEqual(first.body)
  await cast.ada.delete(`/quotas/${first.body.id}`)
})

const listed = (expected: () => string[], total?: number) => (answer: Answer) => {
  expect(answer.body.data.map((quota: { id: string }) => quota.id)).toEqual(expected())
  expect(answer.body.pagination.total).toBe(total ?? expected().length)
}

table<Who>('GET /quotas', setting, [
  {
    name: 'newest first, for everyone',
    as: 'bot',
    path: quotas,
    status: 200,
    check: (answer) => {
      listed(() => [ids.group, ids.groups])(answer)
      expect(answer.body.pagination).toEqual({ total: 2, page: 1, limit: 20 })
    },
  },
  {
    name: 'a page',
    as: 'ben',
    path: () => '/quotas?limit=1&page=2',
    status: 200,
    check: listed(() => [ids.groups], 2),
  },
  { name: 'past the end', as: 'ben', path: () => '/quotas?page=3', status: 200, check: listed(() => [], 2) },
  {
    name: 'a limit over 1000 is 1000',
    as: 'ben',
    path: () => '/quotas?limit=1001',
    status: 200,
    check: ({ body }) => expect(body.pagination.limit).toBe(1000),
  },
  { name: 'scope', as: 'ben', path: () => '/quotas?scope=Group', status: 200, check: listed(() => [ids.group]) },
  {
    name: 'targetId in any case',
    as: 'ben',
    path: () => `/quotas?targetId=${groupId.toUpperCase()}`,
    status: 200,
    check: listed(() => [ids.group]),
  },
  {
    name: 'quotaType',
    as: 'ben',
    path: () => '/quotas?quotaType=MAX_GROUPS',
    status: 200,
    check: listed(() => [ids.groups]),
  },
  {
    name: 'all filters together',
    as: 'ben',
    path: () => `/quotas?quotaType=MAX_GROUPS&scope=Group&targetId=${groupId}`,
    status: 200,
    check: listed(() => []),
  },
  ...callerCases<Who>(() => '/quotas?page=0', 'nobody', 'gone'),
  ...(
    [
      ['page=0', 'INVALID_PAGE', 'page'],
      ['limit=x', 'INVALID_LIMIT', 'limit'],
      ['scope=group', 'INVALID_SCOPE', 'scope'],
      ['scope=Org&scope=Group', 'INVALID_SCOPE', 'scope'],
      ['targetId=x', 'INVALID_TARGETID', 'targetId'],
      ['quotaType=', 'INVALID_QUOTATYPE', 'quotaType'],
    ] as const
  ).map(([query, code, field]): Case<Who> => {
    return { name: query, as: 'bot', path: () => `/quotas?${query}`, status: 400, code, field }
  }),
])

const quota = (id?: string) => () => `/quotas/${id ?? ids.groups}`

table<Who>('GET /quotas/{quotaId}', setting, [
  {
    name: 'for everyone',
    as: 'bot',
    path: quota(),
    status: 200,
    check: ({ body }) => expect(body).toMatchObject({ id: ids.groups, limit: 40, quotaType: 'MAX_GROUPS' }),
  },
  ...callerCases<Who>(quota('x'), 'nobody', 'gone'),
  { name: 'unknown', as: 'ben', path: quota(unknownId), status: 404, code: 'QUOTA_NOT_FOUND' },
  { name: 'no uuid', as: 'ben', path: quota('x'), status: 404, code: 'QUOTA_NOT_FOUND' },
])

table<Who>('PATCH /quotas/{quotaId}', setting, [
  {
    name: 'another limit',
    as: 'ada',
    path: quota(),
    body: () => ({ limit: 41, scope: 'Group' }),
    status: 200,
    check: async ({ body }) => {
      expect(body).toMatchObject({ limit: 41, scope: 'Org', createdAt: '2026-11-21T12:00:00.000Z' })
      expect(body.updatedAt).toBe('2026-11-21T12:00:01.000Z')
      expect(await leavesOf(world, ids.groups)).toEqual(['quota.created', 'quota.changed'])
    },
  },
  {
    name: 'nothing changes nothing',
    as: 'ada',
    path: quota(),
    body: () => ({}),
    status: 200,
    check: async ({ body }) => {
      expect(body.limit).toBe(41)
      expect(await leavesOf(world, ids.groups)).toEqual(['quota.created', 'quota.changed'])
    },
  },
  ...callerCases<Who>(quota('x'), 'nobody', 'gone'),
  { name: 'no body', as: 'bot', path: quota(), status: 400, code: 'MALFORMED_REQUEST' },
  ...[-1, 0.5, '1', null].map((limit): Case<Who> => {
    const name = JSON.stringify(limit)
    return {
      name,
      as: 'bot',
      path: quota(),
      body: () => ({ limit }),
      status: 400,
      code: 'INVALID_LIMIT',
      field: 'limit',
    }
  }),
  ...(['ben', 'bot'] as const).map((as): Case<Who> => {
    const body = () => ({ limit: 1 })
    return { name: as, as, path: quota(unknownId), body, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' }
  }),
  { name: 'unknown', as: 'ada', path: quota(unknownId), body: () => ({}), status: 404, code: 'QUOTA_NOT_FOUND' },
  { name: 'no uuid', as: 'ada', path: quota('x'), body: () => ({}), status: 404, code: 'QUOTA_NOT_FOUND' },
])

table<Who>('DELETE /quotas/{quotaId}', setting, [
  ...callerCases<Who>(quota('x'), 'nobody', 'gone'),
  ...(['ben', 'bot'] as const).map((as): Case<Who> => {
    return { name: as, as, path: quota(), status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' }
  }),
  { name: 'unknown', as: 'ada', path: quota(unknownId), status: 404, code: 'QUOTA_NOT_FOUND' },
  { name: 'no uuid', as: 'ada', path: quota('x'), status: 404, code: 'QUOTA_NOT_FOUND' },
  {
    name: 'lifts it',
    as: 'ada',
    path: quota(),
    status: 204,
    check: async ({ body }) => {
      expect(body).toBe('')
      expect(await leavesOf(world, ids.groups)).toEqual(['quota.created', 'quota.changed', 'quota.deleted'])
      expect(await cast.ada.get(`/quotas/${ids.groups}`)).toMatchObject({ status: 404 })
    },
  },
])

test('a quota of another organization is unknown, and is in no list', async () => {
  const org = world.ctx.newId()
  const id = world.ctx.newId()
  const at = world.clock.now()
  const { db } = world.ctx
  await db.insertInto('organizations').values({ id: org, name: 'other', created_at: at }).execute()
  const foreign = { quota_type: 'MAX_GROUPS', scope: 'Org', target_id: org, limit: 0, created_at: at, updated_at: at }
  await db
    .insertInto('quotas')
    .values({ org_id: org, id, ...foreign })
    .execute()
  expect(await cast.ada.get(`/quotas/${id}`)).toMatchObject({ status: 404, body: { code: 'QUOTA_NOT_FOUND' } })
  expect(await cast.ada.patch(`/quotas/${id}`, { limit: 1 })).toMatchObject({ status: 404 })
  expect(await cast.ada.delete(`/quotas/${id}`)).toMatchObject({ status: 404 })
  expect((await cast.ada.get('/quotas?quotaType=MAX_GROUPS')).body.data).toEqual([])
})

test('a quota bites from the moment it is made, as far as it is raised and lowered, until it is lifted', async () => {
  const group = madeId(await cast.ben.post('/groups', { name: 'bitten' }))
  const add = async (name: string) => {
    const { id } = await world.person(name)
    return await cast.ben.post(`/groups/${group}/entities`, {
      entities: [{ entity: { entityType: 'human', entityId: id } }],
    })
  }
  const refused = { status: 403, body: { code: 'QUOTA_EXCEEDED' } }
  const limit = { scope: 'Group', quotaType: 'MAX_ENTITIES_PER_GROUP', targetId: group }

  const { id } = (await cast.ada.post('/quotas', { ...limit, limit: 1 })).body
  expect(await add('First')).toMatchObject(refused)
  await cast.ada.patch(`/quotas/${id}`, { limit: 2 })
  expect(await add('Second')).toMatchObject({ status: 200 })
  expect(await add('Third')).toMatchObject(refused)
  await cast.ada.patch(`/quotas/${id}`, { limit: 0 })
  expect(await add('Fourth')).toMatchObject(refused)
  await cast.ada.delete(`/quotas/${id}`)
  expect(await add('Fifth')).toMatchObject({ status: 200 })
})

test('the nearest quota wins over that of the organization, whichever is larger', async () => {
  const group = madeId(await cast.ben.post('/groups', { name: 'nearest' }))
  const type = { quotaType: 'MAX_ENTITIES_PER_GROUP', targetId: group }
  const { id: wide } = (await cast.ada.post('/quotas', { ...type, scope: 'Org', limit: 1 })).body
  const body = () => ({ entities: [{ entity: { entityType: 'agent', entityId: cast.bot.id } }] })
  expect(await cast.ben.post(`/groups/${group}/entities`, body())).toMatchObject({ status: 403 })
  const { id: near } = (await cast.ada.post('/quotas', { ...type, scope: 'Group', limit: 2 })).body
  expect(await cast.ben.post(`/groups/${group}/entities`, body())).toMatchObject({ status: 200 })
  for (const id of [wide, near]) await cast.ada.delete(`/quotas/${id}`)
})

test('a change that rests on a version which is no longer the quota’s changes nothing', async () => {
  const { id } = (await cast.ada.post('/quotas', good)).body
  const { db } = world.ctx
  const read = await findQuota(db, defaultOrganization.id, id)
  await cast.ada.patch(`/quotas/${id}`, { limit: 6 })
  const late = await db.transaction().execute((tx) => updateQuota(tx, read!, 9, world.clock.now()))
  expect(late).toBeUndefined()
  expect((await cast.ada.get(`/quotas/${id}`)).body.limit).toBe(6)
  await cast.ada.delete(`/quotas/${id}`)
})

test('PATCH /quotas/{quotaId} 409 QUOTA_CONCURRENT_MODIFICATION_ERROR: of changes at once, none is overwritten unseen', async () => {
  await using real = await startWorld({ engine: 'postgres' })
  const ada = await real.person('Ada', { admin: true })
  const { id } = (await ada.post('/quotas', good)).body
  const codes = new Set<string>()
  for (let round = 0; round < 20 && codes.size === 0; round++) {
    const limits = Array.from({ length: 12 }, (_, index) => round * 100 + index)
    const answers = await Promise.all(limits.map(async (limit) => ada.patch(`/quotas/${id}`, { limit })))
    for (const { status, body } of answers) {
      if (status !== 200) codes.add(`${status} ${body.code}`)
    }
  }
  expect([...codes]).toEqual(['409 QUOTA_CONCURRENT_MODIFICATION_ERROR'])
  const row = await findQuota(real.ctx.db, orgId, id)
  const leaves = (await leavesOf(real, id)).filter((kind) => kind === 'quota.changed')
  expect(Number(row?.row_version)).toBe(1 + leaves.length)
})
