import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { wireErrors } from '../../../src/dialects/native/errors.ts'
import { assignRoles } from '../../../src/identity/assign-roles.ts'
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
import { startWorld, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'cleo' | 'bot'

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Client>
const ids = { space: '', group: '', release: '', target: '' }
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Client> })

beforeAll(async () => {
  world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const cleo = await world.person('Cleo')
  cast = { ada, ben, cleo, bot: await agent(world, 'bot', ben), gone: await ghost(world) }
  ids.space = madeId(await ben.post('/spaces', { name: 'Bens' }))
  ids.group = madeId(await ben.post('/groups', { name: 'bens' }))
  ids.release = await template(world, 'Release', ids.space)
  ids.target = (await world.person('Target')).id
})
afterAll(() => world.close())

const newUser = { displayName: 'Dana', email: 'dana@example.com', orgRole: 'member' }

table<Who>('POST /users', setting, [
  {
    name: 'a member',
    as: 'ada',
    path: () => '/users?x=1',
    body: () => newUser,
    status: 201,
    check: async (answer) => {
      expect(answer.body).toBe('')
      expect(answer.headers['location']).toMatch(/^http:\/\/localhost:80\/users\/[0-9a-f-]{36}$/)
      const user = await cast.ada.get(`/users/${madeId(answer)}`)
      expect(user.body).toMatchObject({ displayName: 'Dana', email: 'dana@example.com', orgRole: 'member' })
    },
  },
  {
    name: 'an admin, who gets an admin entry',
    as: 'ada',
    path: () => '/users',
    body: () => ({ displayName: 'Root', email: 'root@example.com', orgRole: 'admin' }),
    status: 201,
    check: async (answer) => {
      expect((await cast.ada.get(`/users/${madeId(answer)}`)).body.orgRole).toBe('admin')
      expect(await leavesOf(world, madeId(answer))).toEqual(['user.created', 'admin.added'])
    },
  },
  ...callerCases<Who>(() => '/users', 'nobody', 'gone'),
  ...(
    [
      ['no body', undefined, 'MALFORMED_REQUEST', undefined],
      ['a list', [], 'MALFORMED_REQUEST', undefined],
      ['no displayName', { ...newUser, displayName: undefined }, 'USER_DISPLAY_NAME_EMPTY', 'displayName'],
      ['null displayName', { ...newUser, displayName: null }, 'USER_DISPLAY_NAME_EMPTY', 'displayName'],
      ['blank displayName', { ...newUser, displayName: ' \t' }, 'USER_DISPLAY_NAME_EMPTY', 'displayName'],
      ['256 characters', { ...newUser, displayName: 'x'.repeat(256) }, 'USER_DISPLAY_NAME_TOO_LONG', 'displayName'],
      ['a number as displayName', { ...newUser, displayName: 7 }, 'MALFORMED_REQUEST', 'displayName'],
      ['no email', { ...newUser, email: undefined }, 'USER_EMAIL_EMPTY', 'email'],
      ['blank email', { ...newUser, email: ' ' }, 'USER_EMAIL_EMPTY', 'email'],
      ['256 characters', { ...newUser, email: `${'x'.repeat(244)}@example.com` }, 'USER_EMAIL_TOO_LONG', 'email'],
      ['no at sign', { ...newUser, email: 'dana.example.com' }, 'USER_EMAIL_INVALID', 'email'],
      ['no dot after it', { ...newUser, email: 'dana@example' }, 'USER_EMAIL_INVALID', 'email'],
      ['a blank inside', { ...newUser, email: 'da na@example.com' }, 'USER_EMAIL_INVALID', 'email'],
      ['two addresses', { ...newUser, email: 'a@example.com,b@example.com' }, 'USER_EMAIL_INVALID', 'email'],
      ['a line break', { ...newUser, email: 'dana@example.com\nx' }, 'USER_EMAIL_INVALID', 'email'],
      ['no orgRole', { ...newUser, orgRole: undefined }, 'USER_ORG_ROLE_INVALID', 'orgRole'],
      ['another orgRole', { ...newUser, orgRole: 'owner' }, 'USER_ORG_ROLE_INVALID', 'orgRole'],
    ] as const
  ).map(([name, body, code, field]): Case<Who> => {
    return { name, as: 'ada', path: () => '/users', body: () => body, status: 400, code, ...(field && { field }) }
  }),
  {
    name: 'a member calls; the shape is looked at first',
    as: 'ben',
    path: () => '/users',
    body: () => ({}),
    status: 400,
    code: 'USER_DISPLAY_NAME_EMPTY',
  },
  {
    name: 'a member calls',
    as: 'ben',
    path: () => '/users',
    body: () => newUser,
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  {
    name: 'an agent calls',
    as: 'bot',
    path: () => '/users',
    body: () => newUser,
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  {
    name: 'the same e-mail in another case',
    as: 'ada',
    path: () => '/users',
    body: () => ({ ...newUser, email: 'BEN@Example.com' }),
    status: 409,
    code: 'USER_ALREADY_EXISTS',
  },
])

const listed = (names: string[]) => (answer: { body: { users: { displayName: string }[] } }) =>
  expect(answer.body.users.map((user) => user.displayName)).toEqual(names)

table<Who>('GET /users', setting, [
  {
    name: 'everyone may, an agent too; oldest first, twenty at a time',
    as: 'bot',
    path: () => '/users',
    status: 200,
    check: (answer) => {
      expect(answer.body.users.slice(0, 3)).toEqual([
        { id: cast.ada.id, displayName: 'Ada', email: 'ada@example.com' },
        { id: cast.ben.id, displayName: 'Ben', email: 'ben@example.com' },
        { id: cast.cleo.id, displayName: 'Cleo', email: 'cleo@example.com' },
      ])
      expect(answer.body.pagination).toMatchObject({ page: 1, limit: 20, total: answer.body.users.length })
    },
  },
  { name: 'search in the name', as: 'ben', path: () => '/users?search=CLE', status: 200, check: listed(['Cleo']) },
  {
    name: 'search in the e-mail',
    as: 'ben',
    path: () => '/users?search=ben%40EXAMPLE',
    status: 200,
    check: listed(['Ben']),
  },
  { name: 'an underscore is a letter', as: 'ben', path: () => '/users?search=B_n', status: 200, check: listed([]) },
  { name: 'a per cent sign is a letter', as: 'ben', path: () => '/users?search=%25', status: 200, check: listed([]) },
  {
    name: 'a page past the end',
    as: 'ben',
    path: () => '/users?page=9007199254740991&limit=100&search=example',
    status: 200,
    check: (answer) => expect(answer.body).toMatchObject({ users: [], pagination: { limit: 100 } }),
  },
  { name: 'the second page', as: 'ben', path: () => '/users?page=2&limit=1', status: 200, check: listed(['Ben']) },
  ...callerCases<Who>(() => '/users?page=x', 'nobody', 'gone'),
  ...(
    [
      ['page=0', 'INVALID_PAGE_NUMBER', 'page'],
      ['page=-1', 'INVALID_PAGE_NUMBER', 'page'],
      ['page=1.5', 'INVALID_PAGE_NUMBER', 'page'],
      ['page=', 'INVALID_PAGE_NUMBER', 'page'],
      ['page=abc', 'INVALID_PAGE_NUMBER', 'page'],
      ['page=1&page=2', 'INVALID_PAGE_NUMBER', 'page'],
      ['page=99999999999999999999', 'INVALID_PAGE_NUMBER', 'page'],
      ['limit=0', 'INVALID_LIMIT_NUMBER', 'limit'],
      ['limit=101', 'INVALID_LIMIT_NUMBER', 'limit'],
      ['limit=ten', 'INVALID_LIMIT_NUMBER', 'limit'],
      [`search=${'x'.repeat(101)}`, 'SEARCH_TOO_LONG', 'search'],
      ['search=', 'SEARCH_TERM_INVALID_CHARACTERS', 'search'],
      ['search=%20', 'SEARCH_TERM_INVALID_CHARACTERS', 'search'],
      ['search=a%27b', 'SEARCH_TERM_INVALID_CHARACTERS', 'search'],
      ['search=a&search=b', 'SEARCH_TERM_INVALID_CHARACTERS', 'search'],
    ] as const
  ).map(([query, code, field]): Case<Who> => ({
    name: query.slice(0, 30),
    as: 'ben',
    path: () => `/users?${query}`,
    status: 400,
    code,
    field,
  })),
])

table<Who>('GET /users/{userId}', setting, [
  {
    name: 'by id, in full',
    as: 'cleo',
    path: () => `/users/${cast.ben.id.toUpperCase()}`,
    status: 200,
    check: (answer) =>
      expect(answer.body).toEqual({
        id: cast.ben.id,
        displayName: 'Ben',
        email: 'ben@example.com',
        orgRole: 'member',
        createdAt: '2026-11-21T12:00:00.000Z',
        groups: [{ groupId: ids.group, groupName: 'bens' }],
        roles: [
          { roleName: 'GroupManager', scope: { type: 'group', groupId: ids.group } },
          { roleName: 'SpaceManager', scope: { type: 'space', spaceId: ids.space } },
        ],
        concurrencyControl: { version: '3' },
      }),
  },
  {
    name: 'by e-mail in any case',
    as: 'bot',
    path: () => '/users/ADA%40example.com',
    status: 200,
    check: (answer) => expect(answer.body).toMatchObject({ id: cast.ada.id, orgRole: 'admin', groups: [], roles: [] }),
  },
  ...callerCases<Who>(() => '/users/x', 'nobody', 'gone'),
  { name: 'unknown id', as: 'ben', path: () => `/users/${unknownId}`, status: 404, code: 'USER_NOT_FOUND' },
  { name: 'unknown e-mail', as: 'ben', path: () => '/users/who@example.com', status: 404, code: 'USER_NOT_FOUND' },
  { name: "an agent's id", as: 'ben', path: () => `/users/${cast.bot.id}`, status: 404, code: 'USER_NOT_FOUND' },
  {
    name: 'neither id nor e-mail',
    as: 'ben',
    path: () => '/users/ben',
    status: 400,
    code: 'REQUEST_INVALID_USER_IDENTIFIER',
    field: 'userId',
  },
])

const target = () => `/users/${ids.target}/roles`
const inSpace = (roleName: string) => ({ roleName, scope: { type: 'space', spaceId: ids.space } })
const inGroup = (roleName: string) => ({ roleName, scope: { type: 'group', groupId: ids.group } })
const inOrg = (roleName: string) => ({ roleName, scope: { type: 'org' } })
const onRelease = (roleName: string) => ({ roleName, scope: { type: 'workflow_template', templateName: 'Release' } })
const rolesOfTarget = async () => (await cast.ada.get(`/users/${ids.target}`)).body.roles

for (const method of ['PUT', 'DELETE'] as const) {
  const row = `${method} /users/{userId}/roles`
  const some = () => ({ roles: [inSpace('SpaceManager')] })
  table<Who>(row, setting, [
    { name: 'an admin', as: 'ada', path: target, body: some, status: 204 },
    { name: 'who manages the space', as: 'ben', path: target, body: some, status: 204 },
    {
      name: 'who manages the space, on its template by name and by id',
      as: 'ben',
      path: target,
      body: () => ({
        roles: [
          onRelease('WorkflowTemplateVoter'),
          {
            roleName: 'WorkflowTemplateVoter',
            scope: { type: 'workflow_template', workflowTemplateId: ids.release.toUpperCase() },
          },
        ],
      }),
      status: 204,
      check: async () => {
        if (method === 'PUT') expect(await rolesOfTarget()).toEqual([onRelease('WorkflowTemplateVoter')])
      },
    },
    {
      name: 'who manages the group, on the group',
      as: 'ben',
      path: () => `/users/${cast.ben.id}/roles`,
      body: () => ({
        roles: method === 'PUT' ? [inSpace('SpaceManager'), inGroup('GroupManager')] : [inGroup('GroupWrite')],
      }),
      status: 204,
    },
    ...callerCases<Who>(target, 'nobody', 'gone'),
    ...(
      [
        ['no body', undefined, 'MALFORMED_OBJECT', undefined],
        ['a list', [], 'MALFORMED_OBJECT', undefined],
        ['no roles', {}, 'MISSING_ROLES', 'roles'],
        ['an empty list', { roles: [] }, 'INVALID_ROLES', 'roles'],
        ['no list', { roles: 'all' }, 'INVALID_ROLES', 'roles'],
        ['an item that is no object', { roles: ['SpaceManager'] }, 'INVALID_ROLES', 'roles[0]'],
        ['an item without a name', { roles: [{ scope: { type: 'org' } }] }, 'INVALID_ROLES', 'roles[0].roleName'],
        ['an item without a scope', { roles: [{ roleName: 'SpaceManager' }] }, 'INVALID_ROLES', 'roles[0].scope'],
        ['a scope without a type', { roles: [{ roleName: 'X', scope: {} }] }, 'INVALID_ROLES', 'roles[0].scope.type'],
        [
          'a space that is no uuid',
          { roles: [{ roleName: 'X', scope: { type: 'space', spaceId: 'Bens' } }] },
          'INVALID_ROLES',
          'roles[0].scope.spaceId',
        ],
        [
          'a group that is no uuid',
          { roles: [{ roleName: 'X', scope: { type: 'group' } }] },
          'INVALID_ROLES',
          'roles[0].scope.groupId',
        ],
        [
          'a template that is no uuid',
          { roles: [{ roleName: 'X', scope: { type: 'workflow_template', workflowTemplateId: 1 } }] },
          'INVALID_ROLES',
          'roles[0].scope.workflowTemplateId',
        ],
        [
          'a template name that is empty',
          { roles: [{ roleName: 'X', scope: { type: 'workflow_template', templateName: '' } }] },
          'INVALID_ROLES',
          'roles[0].scope.templateName',
        ],
        [
          'another scope type',
          { roles: [{ roleName: 'SpaceManager', scope: { type: 'world' } }] },
          'ROLE_INVALID_SCOPE',
          'roles[0].scope.type',
        ],
        [
          'a scope type that every object has',
          { roles: [{ roleName: 'SpaceManager', scope: { type: 'constructor' } }] },
          'ROLE_INVALID_SCOPE',
          'roles[0].scope.type',
        ],
        [
          '129 items',
          { roles: Array.from({ length: 129 }, () => inOrg('AuditorViewer')) },
          'ROLE_ASSIGNMENTS_EXCEED_MAXIMUM',
          'roles',
        ],
        ['another role', { roles: [inOrg('King')] }, 'ROLE_UNKNOWN_ROLE_NAME', 'roles[0].roleName'],
        [
          'a role that every object has',
          { roles: [inOrg('__proto__')] },
          'ROLE_UNKNOWN_ROLE_NAME',
          'roles[0].roleName',
        ],
        [
          'a group role on the organization',
          { roles: [inOrg('AuditorViewer'), inOrg('GroupManager')] },
          'ROLE_SCOPE_INCOMPATIBLE_WITH_TEMPLATE',
          'roles[1].scope.type',
        ],
        [
          'a template that is not there',
          { roles: [{ roleName: 'WorkflowList', scope: { type: 'workflow_template', templateName: 'Nope' } }] },
          'WORKFLOW_TEMPLATE_NOT_FOUND',
          'roles[0].scope',
        ],
        [
          'a template id that is not there',
          {
            roles: [{ roleName: 'WorkflowList', scope: { type: 'workflow_template', workflowTemplateId: unknownId } }],
          },
          'WORKFLOW_TEMPLATE_NOT_FOUND',
          'roles[0].scope',
        ],
        ...['1', 'x', { version: 1 }, { version: '1.0' }, {}, { version: '9223372036854775808' }].map(
          (concurrencyControl) =>
            [
              `concurrencyControl ${JSON.stringify(concurrencyControl)}`,
              { roles: [inOrg('AuditorViewer')], concurrencyControl },
              'INVALID_CONCURRENCY_CONTROL',
              undefined,
            ] as const,
        ),
      ] as const
    ).map(([name, body, code, field]): Case<Who> => {
      // Shape and role rules come before permission, so whoever calls is told of them.
      return { name, as: 'cleo', path: target, body: () => body, status: 400, code, ...(field && { field }) }
    }),
    ...(
      [
        ['a member without roles', 'cleo', some],
        ['an agent', 'bot', some],
        ['who manages one space, for the organization', 'ben', () => ({ roles: [inOrg('SpaceManager')] })],
        [
          'who manages one space, for another',
          'ben',
          () => ({
            roles: [
              inSpace('SpaceManager'),
              { roleName: 'SpaceReadOnly', scope: { type: 'space', spaceId: unknownId } },
            ],
          }),
        ],
        ['a stranger to the template', 'cleo', () => ({ roles: [onRelease('WorkflowTemplateVoter')] })],
      ] as const
    ).map(([name, as, body]): Case<Who> => ({
      name,
      as,
      path: target,
      body,
      status: 403,
      code: 'REQUESTOR_NOT_AUTHORIZED',
    })),
    {
      name: 'permission comes before the look-up',
      as: 'cleo',
      path: () => `/users/${unknownId}/roles`,
      body: some,
      status: 403,
      code: 'REQUESTOR_NOT_AUTHORIZED',
    },
    {
      name: 'unknown id',
      as: 'ben',
      path: () => `/users/${unknownId}/roles`,
      body: some,
      status: 404,
      code: 'USER_NOT_FOUND',
    },
    { name: 'no uuid', as: 'ada', path: () => '/users/ben/roles', body: some, status: 404, code: 'USER_NOT_FOUND' },
    {
      name: "an agent's id",
      as: 'ada',
      path: () => `/users/${cast.bot.id}/roles`,
      body: some,
      status: 404,
      code: 'USER_NOT_FOUND',
    },
    {
      name: 'a version that is gone',
      as: 'ada',
      path: target,
      body: () => ({ ...some(), concurrencyControl: { version: '-9223372036854775808' } }),
      status: 409,
      code: 'CONCURRENT_MODIFICATION_ERROR',
    },
  ])
}

describe('PUT /users/{userId}/roles', () => {
  const put = async (roles: unknown[], more: object = {}) => await cast.ada.put(target(), { roles, ...more })

  test('replaces every role, merges duplicates, and grows the version by one each time', async () => {
    await put([inOrg('AuditorViewer')])
    const before = (await cast.ada.get(`/users/${ids.target}`)).body.concurrencyControl.version
    const answer = await put([inSpace('SpaceReadOnly'), inSpace('SpaceReadOnly')], {
      concurrencyControl: { version: before },
    })
    expect(answer).toMatchObject({ status: 204, body: '' })
    const after = await cast.ada.get(`/users/${ids.target}`)
    expect(after.body.roles).toEqual([inSpace('SpaceReadOnly')])
    expect(after.body.concurrencyControl).toEqual({ version: String(Number(before) + 1) })
    expect((await leavesOf(world, ids.target)).slice(-2)).toEqual(['roles.removed', 'roles.assigned'])
  })

  test('is refused to who may not take away what it takes away', async () => {
    await put([inOrg('AuditorViewer')])
    const answer = await cast.ben.put(target(), { roles: [inSpace('SpaceReadOnly')] })
    expect(answer).toMatchObject({ status: 403, body: { code: 'REQUESTOR_NOT_AUTHORIZED' } })
    expect(await rolesOfTarget()).toEqual([inOrg('AuditorViewer')])
  })

  test('leaves no trace in the audit log when it changes nothing', async () => {
    await put([inOrg('AuditorViewer')])
    const before = await leavesOf(world, ids.target)
    await put([inOrg('AuditorViewer')])
    expect(await leavesOf(world, ids.target)).toEqual(before)
  })

  test('takes 128 roles', async () => {
    const roles = Array.from({ length: 128 }, () => ({
      roleName: 'SpaceReadOnly',
      scope: { type: 'space', spaceId: world.ctx.newId() },
    }))
    expect(await put(roles)).toMatchObject({ status: 204 })
    expect(await rolesOfTarget()).toHaveLength(128)
  })

  test('PUT /users/{userId}/roles 403 QUOTA_EXCEEDED: the nearest quota decides, and nothing is written', async () => {
    await put([inOrg('AuditorViewer')])
    const dropOrg = await quota(world, 'MAX_ROLES_PER_USER', 0)
    const dropUser = await quota(world, 'MAX_ROLES_PER_USER', 1, 'User', ids.target)
    expect(await put([inOrg('SpaceManager')])).toMatchObject({ status: 204 })
    const refused = await put([inOrg('SpaceManager'), inOrg('AuditorViewer')])
    expect(refused).toMatchObject({ status: 403, body: { code: 'QUOTA_EXCEEDED' } })
    expect(await rolesOfTarget()).toEqual([inOrg('SpaceManager')])
    await dropUser()
    expect(await put([inOrg('SpaceManager')])).toMatchObject({ status: 403, body: { code: 'QUOTA_EXCEEDED' } })
    await dropOrg()
    expect(await put([inOrg('AuditorViewer')])).toMatchObject({ status: 204 })
  })

  // PUT replaces and one request holds 128 at most, so only a use case that is called from inside can ask for more.
  for (const [kind, code] of [
    ['human', 'ROLE_TOTAL_ROLES_EXCEED_MAXIMUM'],
    ['agent', 'AGENT_ROLE_TOTAL_ROLES_EXCEED_MAXIMUM'],
  ] as const) {
    const row = kind === 'human' ? 'PUT /users/{userId}/roles' : 'PUT /agents/{agentId}/roles'
    test(`${row} 422 ${code}: more than 128 in total`, async () => {
      const items = Array.from({ length: 129 }, () => {
        return { roleName: 'WorkflowList', scope: { type: 'space', id: world.ctx.newId() } } as const
      })
      const caller = { orgId: defaultOrganization.id, principalId: cast.ada.id, kind: 'human' } as const
      const holder = { kind, id: kind === 'human' ? ids.target : cast.bot.id }
      const call = assignRoles(world.ctx, { ...caller, sessionId: null, stepUp: null, once: null }, holder, items, null)
      await expect(call).rejects.toMatchObject({ code })
      expect(wireErrors[code]).toEqual({ status: 422 })
    })
  }

  test('a template role covers versions to come: the name is what is kept', async () => {
    await put([{ roleName: 'WorkflowList', scope: { type: 'workflow_template', workflowTemplateId: ids.release } }])
    expect(await rolesOfTarget()).toEqual([onRelease('WorkflowList')])
  })
})

describe('DELETE /users/{userId}/roles', () => {
  test('takes what matches name and scope, passes over the rest, and tells only of what went', async () => {
    await cast.ada.put(target(), { roles: [inOrg('AuditorViewer'), inSpace('SpaceManager')] })
    const answer = await cast.ada.delete(target(), { roles: [inOrg('SpaceManager'), inSpace('SpaceManager')] })
    expect(answer).toMatchObject({ status: 204, body: '' })
    expect(await rolesOfTarget()).toEqual([inOrg('AuditorViewer')])
    const before = await leavesOf(world, ids.target)
    expect(before.at(-1)).toBe('roles.removed')
    expect(await cast.ada.delete(target(), { roles: [inOrg('SpaceManager')] })).toMatchObject({ status: 204 })
    expect(await leavesOf(world, ids.target)).toEqual(before)
  })
})
