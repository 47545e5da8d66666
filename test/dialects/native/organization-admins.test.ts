import { afterAll, beforeAll, expect, test } from 'vitest'
import { agent, callerCases, ghost, leavesOf, table, unknownId, type Case } from '../../helpers/directory.ts'
import { startWorld, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'bot'

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Client>
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Client> })

beforeAll(async () => {
  world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  await world.person('Cleo')
  cast = { ada, ben, bot: await agent(world, 'bot', ben), gone: await ghost(world) }
})
afterAll(() => world.close())

const admins = (organization = 'default') => `/organization/${organization}/admins`
const here = () => admins()
const elsewhere = () => admins('other')

table<Who>('POST /organization/{organization-name}/admins', setting, [
  {
    name: 'by e-mail in any case',
    as: 'ada',
    path: here,
    body: () => ({ email: 'BEN@example.com' }),
    status: 201,
    check: async (answer) => {
      expect(answer.headers['location']).toBe(`http://localhost:80/organization/default/admins/${cast.ben.id}`)
      expect(answer.body).toBe('')
      expect((await cast.ada.get(`/users/${cast.ben.id}`)).body.orgRole).toBe('admin')
      expect((await leavesOf(world, cast.ben.id)).at(-1)).toBe('admin.added')
    },
  },
  {
    name: 'who is an admin',
    as: 'ben',
    path: here,
    body: () => ({ email: 'ada@example.com' }),
    status: 409,
    code: 'ORGANIZATION_ADMIN_ALREADY_EXISTS',
  },
  ...callerCases<Who>(here, 'nobody', 'gone'),
  ...(
    [
      ['no body', undefined, 'MALFORMED_REQUEST', undefined],
      ['no email', {}, 'ORGANIZATION_ADMIN_EMAIL_EMPTY', 'email'],
      ['a blank', { email: ' ' }, 'ORGANIZATION_ADMIN_EMAIL_EMPTY', 'email'],
      ['513 characters', { email: `${'x'.repeat(501)}@example.com` }, 'ORGANIZATION_ADMIN_EMAIL_TOO_LONG', 'email'],
      ['no address', { email: 'ben' }, 'ORGANIZATION_ADMIN_EMAIL_INVALID', 'email'],
      ['an object', { email: {} }, 'MALFORMED_REQUEST', 'email'],
    ] as const
  ).map(([name, body, code, field]): Case<Who> => {
    return { name, as: 'bot', path: here, body: () => body, status: 400, code, ...(field && { field }) }
  }),
  {
    name: 'no such user',
    as: 'ada',
    path: here,
    body: () => ({ email: 'who@example.com' }),
    status: 400,
    code: 'USER_NOT_FOUND',
    field: 'email',
  },
  {
    name: 'an agent calls',
    as: 'bot',
    path: elsewhere,
    body: () => ({ email: 'cleo@example.com' }),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  {
    name: 'another organization',
    as: 'ada',
    path: elsewhere,
    body: () => ({ email: 'cleo@example.com' }),
    status: 404,
    code: 'ORGANIZATION_NOT_FOUND',
  },
])

table<Who>('GET /organization/{organization-name}/admins', setting, [
  {
    name: 'oldest first, with the ids of the users',
    as: 'ben',
    path: here,
    status: 200,
    check: (answer) =>
      expect(answer.body).toEqual({
        data: [
          { userId: cast.ada.id, email: 'ada@example.com', createdAt: '2026-11-21T12:00:00.000Z' },
          { userId: cast.ben.id, email: 'ben@example.com', createdAt: '2026-11-21T12:00:00.000Z' },
        ],
        pagination: { total: 2, page: 1, limit: 20 },
      }),
  },
  {
    name: 'past the end',
    as: 'ada',
    path: () => `${admins()}?page=3&limit=1`,
    status: 200,
    check: (answer) => expect(answer.body).toEqual({ data: [], pagination: { total: 2, page: 3, limit: 1 } }),
  },
  ...callerCases<Who>(here, 'nobody', 'gone'),
  ...(
    [
      ['page=one', 'INVALID_NUMBER_FORMAT', 'page'],
      ['page=', 'INVALID_NUMBER_FORMAT', 'page'],
      ['limit=x', 'INVALID_NUMBER_FORMAT', 'limit'],
      ['limit=1&limit=2', 'INVALID_NUMBER_FORMAT', 'limit'],
      ['page=0', 'INVALID_PAGE_NUMBER', 'page'],
      ['page=1.5', 'INVALID_PAGE_NUMBER', 'page'],
      ['limit=0', 'INVALID_LIMIT_NUMBER', 'limit'],
      ['limit=101', 'INVALID_LIMIT_NUMBER', 'limit'],
    ] as const
  ).map(([query, code, field]): Case<Who> => {
    return { name: query, as: 'bot', path: () => `${admins()}?${query}`, status: 400, code, field }
  }),
  { name: 'an agent calls', as: 'bot', path: elsewhere, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
  { name: 'another organization', as: 'ada', path: elsewhere, status: 404, code: 'ORGANIZATION_NOT_FOUND' },
])

table<Who>('DELETE /organization/{organization-name}/admins', setting, [
  ...callerCases<Who>(here, 'nobody', 'gone'),
  ...(
    [
      ['no body', undefined, 'MALFORMED_REQUEST', undefined],
      ['no userId', {}, 'INVALID_IDENTIFIER_FORMAT', 'userId'],
      ['a name', { userId: 'ben' }, 'INVALID_IDENTIFIER_FORMAT', 'userId'],
      ['a number', { userId: 7 }, 'INVALID_IDENTIFIER_FORMAT', 'userId'],
    ] as const
  ).map(([name, body, code, field]): Case<Who> => {
    return { name, as: 'bot', path: here, body: () => body, status: 400, code, ...(field && { field }) }
  }),
  {
    name: 'an agent calls',
    as: 'bot',
    path: elsewhere,
    body: () => ({ userId: cast.ben.id }),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  {
    name: 'another organization',
    as: 'ada',
    path: elsewhere,
    body: () => ({ userId: cast.ben.id }),
    status: 404,
    code: 'ORGANIZATION_NOT_FOUND',
  },
  {
    name: 'by e-mail',
    as: 'ada',
    path: here,
    body: () => ({ userId: 'Ben@example.com' }),
    status: 204,
    check: async (answer) => {
      expect(answer.body).toBe('')
      expect((await cast.ada.get(`/users/${cast.ben.id}`)).body.orgRole).toBe('member')
      expect((await leavesOf(world, cast.ben.id)).at(-1)).toBe('admin.removed')
    },
  },
  { name: 'who is none', as: 'ada', path: here, body: () => ({ userId: cast.ben.id }), status: 204 },
  { name: 'who is not there', as: 'ada', path: here, body: () => ({ userId: unknownId }), status: 204 },
  {
    name: 'who is an admin no longer',
    as: 'ben',
    path: here,
    body: () => ({ userId: cast.ada.id }),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
  {
    name: 'the last one',
    as: 'ada',
    path: here,
    body: () => ({ userId: cast.ada.id }),
    status: 409,
    code: 'ORGANIZATION_ADMIN_IS_LAST',
  },
])

test('an admin may step back when another stays', async () => {
  await cast.ada.post(admins(), { email: 'ben@example.com' })
  expect(await cast.ada.delete(admins(), { userId: cast.ada.id })).toMatchObject({ status: 204 })
  expect(await cast.ada.get(admins())).toMatchObject({ status: 403 })
  expect(await cast.ben.post(admins(), { email: 'ada@example.com' })).toMatchObject({ status: 201 })
})
