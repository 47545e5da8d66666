import { afterAll, beforeAll, expect } from 'vitest'
import { agent, callerCases, ghost, madeId, table, unknownId, type Case } from '../../helpers/directory.ts'
import { startWorld, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'cleo' | 'bot'

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Client>
/** Ben made the space and the group; Cleo may read the space alone. The foreign ones are another organization's. */
const ids = { space: '', group: '', foreignSpace: '', foreignGroup: '' }
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Client> })

beforeAll(async () => {
  world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const cleo = await world.person('Cleo')
  cast = { ada, ben, cleo, bot: await agent(world, 'bot', ben), gone: await ghost(world) }
  ids.space = madeId(await ben.post('/spaces', { name: 'Payments' }))
  ids.group = madeId(await ben.post('/groups', { name: 'guards' }))
  const reads = { roleName: 'SpaceReadOnly', scope: { type: 'space', spaceId: ids.space } }
  await ben.put(`/users/${cleo.id}/roles`, { roles: [reads] })
  const org = world.ctx.newId()
  const at = world.clock.now()
  const { db } = world.ctx
  await db.insertInto('organizations').values({ id: org, name: 'other', created_at: at }).execute()
  const row = () => ({ org_id: org, id: world.ctx.newId(), name: 'foreign', created_at: at, updated_at: at })
  const [space, group] = [row(), row()]
  await db.insertInto('spaces').values(space).execute()
  await db.insertInto('groups').values(group).execute()
  ids.foreignSpace = space.id
  ids.foreignGroup = group.id
})
afterAll(() => world.close())

const resolve = () => '/resources/resolve'
const space = (id = ids.space) => ({ type: 'space', id })
const group = (id = ids.group) => ({ type: 'group', id })
const refusal = (name: string, body: unknown, code: string, field?: string): Case<Who> => {
  return { name, as: 'bot', path: resolve, body: () => body, status: 400, code, ...(field && { field }) }
}

table<Who>('POST /resources/resolve', setting, [
  {
    name: 'names in the order asked for, in each list, once for each time asked',
    as: 'ben',
    path: resolve,
    body: () => ({
      resources: [group(unknownId), group(), space(), space(unknownId), group(ids.group.toUpperCase())],
    }),
    status: 200,
    check: ({ body }) =>
      expect(body).toEqual({
        resolved: [
          { type: 'group', id: ids.group, name: 'guards' },
          { type: 'space', id: ids.space, name: 'Payments' },
          { type: 'group', id: ids.group, name: 'guards' },
        ],
        denied: [
          { type: 'group', id: unknownId, reason: 'NOT_FOUND' },
          { type: 'space', id: unknownId, reason: 'NOT_FOUND' },
        ],
      }),
  },
  {
    name: 'who may read the space and not the group',
    as: 'cleo',
    path: resolve,
    body: () => ({ resources: [space(), group()] }),
    status: 200,
    check: ({ body }) =>
      expect(body).toEqual({
        resolved: [{ type: 'space', id: ids.space, name: 'Payments' }],
        denied: [{ type: 'group', id: ids.group, reason: 'NOT_AUTHORIZED' }],
      }),
  },
  {
    name: 'an admin, and a group asked for as a space',
    as: 'ada',
    path: resolve,
    body: () => ({ resources: [group(), space(ids.group)] }),
    status: 200,
    check: ({ body }) => {
      expect(body.resolved).toEqual([{ type: 'group', id: ids.group, name: 'guards' }])
      expect(body.denied).toEqual([{ type: 'space', id: ids.group, reason: 'NOT_FOUND' }])
    },
  },
  {
    name: 'what is in another organization does not exist',
    as: 'ada',
    path: resolve,
    body: () => ({ resources: [space(ids.foreignSpace), group(ids.foreignGroup)] }),
    status: 200,
    check: ({ body }) =>
      expect(body).toEqual({
        resolved: [],
        denied: [
          { type: 'space', id: ids.foreignSpace, reason: 'NOT_FOUND' },
          { type: 'group', id: ids.foreignGroup, reason: 'NOT_FOUND' },
        ],
      }),
  },
  {
    name: 'fifty',
    as: 'ben',
    path: resolve,
    body: () => ({ resources: Array.from({ length: 50 }, () => space()) }),
    status: 200,
    check: ({ body }) => expect(body.resolved).toHaveLength(50),
  },
  ...callerCases<Who>(resolve, 'nobody', 'gone'),
  refusal('no body', undefined, 'MALFORMED_OBJECT'),
  refusal('a list', [], 'MALFORMED_OBJECT'),
  refusal('no resources', {}, 'MISSING_RESOURCES', 'resources'),
  refusal('resources that are no list', { resources: {} }, 'MISSING_RESOURCES', 'resources'),
  refusal('an empty list', { resources: [] }, 'EMPTY_RESOURCES', 'resources'),
  refusal('fifty-one', { resources: Array.from({ length: 51 }, () => null) }, 'TOO_MANY_RESOURCES', 'resources'),
  refusal('a text', { resources: ['x'] }, 'INVALID_RESOURCE_ITEM', 'resources[0]'),
  refusal('no type', { resources: [{ id: 'x' }] }, 'MISSING_RESOURCE_TYPE', 'resources[0].type'),
  refusal('a user', { resources: [{ type: 'user' }] }, 'INVALID_RESOURCE_TYPE_VALUE', 'resources[0].type'),
  refusal('no id', { resources: [{ type: 'space' }] }, 'MISSING_RESOURCE_ID', 'resources[0].id'),
  refusal(
    'an id that is no uuid, after one that is',
    {
      resources: [
        { type: 'group', id: unknownId },
        { type: 'group', id: 'x' },
      ],
    },
    'INVALID_RESOURCE_ID_FORMAT',
    'resources[1].id',
  ),
  {
    name: 'an agent',
    as: 'bot',
    path: resolve,
    body: () => ({ resources: [space()] }),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
])
