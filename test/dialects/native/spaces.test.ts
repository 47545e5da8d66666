import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultOrganization } from '../../../src/identity/organization.ts'
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

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'cleo' | 'dana' | 'bot'

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Client>
/** Ben manages the space, Cleo may read it, Dana may read every space. */
const ids = { space: '' }
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Client> })

beforeAll(async () => {
  world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const cleo = await world.person('Cleo')
  const dana = await world.person('Dana')
  cast = { ada, ben, cleo, dana, bot: await agent(world, 'bot', ben), gone: await ghost(world) }
  ids.space = madeId(await ben.post('/spaces', { name: 'Payments EU', description: 'Money' }))
  const reads = { roleName: 'SpaceReadOnly', scope: { type: 'space', spaceId: ids.space } }
  await ben.put(`/users/${cleo.id}/roles`, { roles: [reads] })
  await ada.put(`/users/${dana.id}/roles`, {
    roles: [
      { roleName: 'OrgWideSpaceReadOnly', scope: { type: 'org' } },
      { roleName: 'AuditorViewer', scope: { type: 'org' } },
    ],
  })
})
afterAll(() => world.close())

const spaces = () => '/spaces'

table<Who>('POST /spaces', setting, [
  {
    name: 'a plain member, who manages it then',
    as: 'cleo',
    path: spaces,
    body: () => ({ name: 'Cleo_s 1st-space' }),
    status: 201,
    check: async (answer) => {
      const id = madeId(answer)
      expect(answer.headers['location']).toBe(`http://localhost:80/spaces/${id}`)
      const me = await cast.cleo.get('/auth/info')
      expect(me.body.roles).toContainEqual({ roleName: 'SpaceManager', scope: { type: 'space', spaceId: id } })
      expect(me.body.concurrencyControl.version).toBe('3')
      expect((await cast.cleo.get(`/spaces/${id}`)).body).not.toHaveProperty('description')
      expect(await leavesOf(world, id)).toEqual(['space.created'])
    },
  },
  ...callerCases<Who>(spaces, 'nobody', 'gone'),
  ...(
    [
      ['no body', undefined, 'MALFORMED_REQUEST', undefined],
      ['no name', {}, 'SPACE_NAME_EMPTY', 'name'],
      ['a blank name', { name: ' ' }, 'SPACE_NAME_EMPTY', 'name'],
      ['256 characters', { name: 'x'.repeat(256) }, 'SPACE_NAME_TOO_LONG', 'name'],
      ['a slash', { name: 'a/b' }, 'SPACE_NAME_INVALID_CHARACTERS', 'name'],
      ['an umlaut', { name: 'Zürich' }, 'SPACE_NAME_INVALID_CHARACTERS', 'name'],
      ['a list', { name: ['a'] }, 'MALFORMED_REQUEST', 'name'],
      ['2049 characters', { name: 'ok', description: 'x'.repeat(2049) }, 'SPACE_DESCRIPTION_TOO_LONG', 'description'],
      ['no text', { name: 'ok', description: 7 }, 'MALFORMED_REQUEST', 'description'],
    ] as const
  ).map(([name, body, code, field]): Case<Who> => {
    return { name, as: 'bot', path: spaces, body: () => body, status: 400, code, ...(field && { field }) }
  }),
  {
    name: 'an agent calls',
    as: 'bot',
    path: spaces,
    body: () => ({ name: 'x' }),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  {
    name: 'a name that is taken',
    as: 'dana',
    path: spaces,
    body: () => ({ name: 'Payments EU' }),
    status: 409,
    code: 'SPACE_ALREADY_EXISTS',
  },
])

const named = (names: string[]) => (answer: Answer) =>
  expect(answer.body.data.map((space: { name: string }) => space.name)).toEqual(names)

table<Who>('GET /spaces', setting, [
  {
    name: 'every person sees every space',
    as: 'dana',
    path: () => '/spaces?limit=101&page=1',
    status: 200,
    check: (answer) =>
      expect(answer.body).toEqual({
        data: [
          {
            id: ids.space,
            name: 'Payments EU',
            description: 'Money',
            createdAt: '2026-11-21T12:00:00.000Z',
            updatedAt: '2026-11-21T12:00:00.000Z',
          },
          expect.objectContaining({ name: 'Cleo_s 1st-space' }),
        ],
        pagination: { total: 2, page: 1, limit: 100 },
      }),
  },
  { name: 'search', as: 'dana', path: () => '/spaces?search=ments%20e', status: 200, check: named(['Payments EU']) },
  {
    name: 'an underscore is itself',
    as: 'dana',
    path: () => '/spaces?search=o_s',
    status: 200,
    check: named(['Cleo_s 1st-space']),
  },
  { name: 'past the end', as: 'dana', path: () => '/spaces?page=9007199254740991', status: 200, check: named([]) },
  ...callerCases<Who>(() => '/spaces?page=0', 'nobody', 'gone'),
  ...(
    [
      ['page=0', 'INVALID_PAGE', 'page'],
      ['limit=-1', 'INVALID_LIMIT', 'limit'],
      ['search=a&search=b', 'INVALID_SEARCH', 'search'],
    ] as const
  ).map(([query, code, field]): Case<Who> => {
    return { name: query, as: 'bot', path: () => `/spaces?${query}`, status: 400, code, field }
  }),
  { name: 'an agent calls', as: 'bot', path: spaces, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
])

const space = (id?: string) => () => `/spaces/${id ?? ids.space}`

table<Who>('GET /spaces/{spaceId}', setting, [
  {
    name: 'its manager',
    as: 'ben',
    path: space(),
    status: 200,
    check: (answer) => expect(answer.body).toMatchObject({ id: ids.space, name: 'Payments EU' }),
  },
  { name: 'who may read it', as: 'cleo', path: space(), status: 200 },
  { name: 'who may read every space', as: 'dana', path: space(), status: 200 },
  { name: 'an admin', as: 'ada', path: () => `/spaces/${ids.space.toUpperCase()}`, status: 200 },
  ...callerCases<Who>(space('x'), 'nobody', 'gone'),
  { name: 'unknown', as: 'dana', path: space(unknownId), status: 404, code: 'SPACE_NOT_FOUND' },
  { name: 'a name', as: 'ada', path: space('Payments EU'), status: 404, code: 'SPACE_NOT_FOUND' },
  {
    name: 'unknown to who may not know',
    as: 'cleo',
    path: space(unknownId),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  { name: 'an agent', as: 'bot', path: space(), status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
])

table<Who>('DELETE /spaces/{spaceId}', setting, [
  ...callerCases<Who>(space('x'), 'nobody', 'gone'),
  { name: 'who may only read it', as: 'cleo', path: space(), status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
  { name: 'who may only read all', as: 'dana', path: space(), status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
  { name: 'an agent', as: 'bot', path: space(), status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
  { name: 'unknown', as: 'ada', path: space(unknownId), status: 404, code: 'SPACE_NOT_FOUND' },
  { name: 'no uuid', as: 'ada', path: space('x'), status: 404, code: 'SPACE_NOT_FOUND' },
])

describe('DELETE /spaces/{spaceId}', () => {
  test('DELETE /spaces/{spaceId} 204: takes templates, workflows, votes and roles with it; the audit log stays', async () => {
    const id = madeId(await cast.ben.post('/spaces', { name: 'Short-lived' }))
    const policyId = await template(world, 'Doomed', id)
    const requestId = await workflowWithVote(policyId)
    const roles = [
      { roleName: 'SpaceReadOnly', scope: { type: 'space', spaceId: id } },
      { roleName: 'WorkflowTemplateVoter', scope: { type: 'workflow_template', templateName: 'Doomed' } },
      { roleName: 'OrgWideSpaceReadOnly', scope: { type: 'org' } },
    ]
    await cast.ada.put(`/users/${cast.dana.id}/roles`, { roles })
    const before = (await cast.ada.get(`/users/${cast.dana.id}`)).body.concurrencyControl.version

    expect(await cast.ben.delete(`/spaces/${id}`)).toMatchObject({ status: 204, body: '' })

    const { db } = world.ctx
    expect(await db.selectFrom('policies').select('id').where('id', '=', policyId).execute()).toEqual([])
    expect(await db.selectFrom('requests').select('id').where('id', '=', requestId).execute()).toEqual([])
    expect(await db.selectFrom('votes').select('seq').where('request_id', '=', requestId).execute()).toEqual([])
    const dana = (await cast.ada.get(`/users/${cast.dana.id}`)).body
    expect(dana.roles).toEqual([{ roleName: 'OrgWideSpaceReadOnly', scope: { type: 'org' } }])
    expect(Number(dana.concurrencyControl.version)).toBe(Number(before) + 1)
    expect(await leavesOf(world, id)).toEqual(['space.created', 'space.deleted'])
    expect(await cast.ada.get(`/spaces/${id}`)).toMatchObject({ status: 404 })
    expect(await cast.ada.delete(`/spaces/${id}`)).toMatchObject({ status: 404 })
  })

  async function workflowWithVote(policyId: string): Promise<string> {
    const id = world.ctx.newId()
    const org = defaultOrganization.id
    const at = world.clock.now()
    await world.ctx.db
      .insertInto('requests')
      .values({
        org_id: org,
        id,
        dialect: 'native',
        policy_id: policyId,
        name: `workflow-${id}`,
        metadata: '{}',
        requester_id: cast.ben.id,
        digest: 'x',
        status: 'open',
        tally: '{}',
        expires_at: at,
        created_at: at,
        updated_at: at,
      })
      .execute()
    await world.ctx.db
      .insertInto('votes')
      .values({
        org_id: org,
        request_id: id,
        seq: 1,
        stage: 0,
        principal_id: cast.ben.id,
        stance: 'approve',
        seats: [],
        assurance: [],
        digest: 'x',
        cast_at: at,
      })
      .execute()
    return id
  }
})

test('POST /spaces 403 QUOTA_EXCEEDED: a name that is taken is told first', async () => {
  const drop = await quota(world, 'MAX_SPACES', 2)
  expect(await cast.dana.post('/spaces', { name: 'Third' })).toMatchObject({
    status: 403,
    body: { code: 'QUOTA_EXCEEDED' },
  })
  expect(await cast.dana.post('/spaces', { name: 'Payments EU' })).toMatchObject({ status: 409 })
  await drop()
})

test('POST /spaces is done once under one Idempotency-Key', async () => {
  const key = { 'idempotency-key': 'space' }
  const first = await cast.dana.post('/spaces', { name: 'Once' }, key)
  expect(madeId(await cast.dana.post('/spaces', { name: 'Once' }, key))).toBe(madeId(first))
  const reused = await cast.dana.post('/spaces', { name: 'Other' }, key)
  expect(reused).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } })
})

table<Who>('GET /roles', setting, [
  {
    name: 'the 35 roles in their order, for everyone',
    as: 'bot',
    path: () => '/roles',
    status: 200,
    check: (answer) => {
      const { roles } = answer.body
      expect(roles).toHaveLength(35)
      expect(roles[0]).toEqual({ name: 'GroupReadOnly', permissions: ['read'], scope: 'group' })
      expect(roles.slice(3, 10).map((role: { name: string; scope: string }) => [role.name, role.scope])).toEqual([
        ['SpaceReadOnly', 'space'],
        ['OrgWideSpaceReadOnly', 'org'],
        ['SpaceManager', 'space'],
        ['OrgWideSpaceManager', 'org'],
        ['WorkflowTemplateReadOnly', 'workflow_template'],
        ['SpaceWideWorkflowTemplateReadOnly', 'space'],
        ['OrgWideWorkflowTemplateReadOnly', 'org'],
      ])
      expect(roles.at(-1)).toEqual({ name: 'AuditorViewer', permissions: ['read'], scope: 'org' })
    },
  },
  ...callerCases<Who>(() => '/roles', 'nobody', 'gone'),
])

table<Who>('GET /auth/info', setting, [
  {
    name: 'a user',
    as: 'ada',
    path: () => '/auth/info',
    status: 200,
    check: (answer) =>
      expect(answer.body).toEqual({
        entityType: 'user',
        id: cast.ada.id,
        groups: [],
        roles: [],
        orgRole: 'admin',
        concurrencyControl: { version: '1' },
      }),
  },
  {
    name: 'an agent',
    as: 'bot',
    path: () => '/auth/info',
    status: 200,
    check: (answer) => expect(answer.body).toEqual({ entityType: 'agent', id: cast.bot.id, groups: [], roles: [] }),
  },
  ...callerCases<Who>(() => '/auth/info', 'nobody', 'gone'),
])
