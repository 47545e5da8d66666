import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { webhookKeys } from '../../../src/deliveries/webhook-keys.ts'
import { defaultOrganization } from '../../../src/identity/organization.ts'
import { agent, callerCases, ghost, leavesOf, table, unknownId, type Case } from '../../helpers/directory.ts'
import { bearing, madeKey, said } from '../../helpers/machine.ts'
import { startWorld, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'bot' | 'adasKey' | 'adminKey'

const path = '/v1/webhook-keys'
const orgId = defaultOrganization.id
const foreignOrg = '01890000-0000-7000-8000-00000000000f'
const adminKey = 'an-admin-key-that-only-this-test-knows'
const hour = 3_600_000

let world: World
let ada: Client
let cast: Record<Exclude<Who, 'nobody'>, Omit<Client, 'id'>>
const ids = { only: '', foreign: '' }
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Omit<Client, 'id'>> })

beforeAll(async () => {
  world = await startWorld({ env: { QUORATE_ADMIN_KEY: adminKey } })
  ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const machines = { adasKey: bearing(world, (await madeKey(ada)).key), adminKey: bearing(world, adminKey) }
  cast = { ada, ben, bot: await agent(world, 'bot', ben), ...machines, gone: await ghost(world) }
  const at = world.clock.now()
  await world.ctx.db.insertInto('organizations').values({ id: foreignOrg, name: 'other', created_at: at }).execute()
  await webhookKeys(world.ctx, foreignOrg)
  ids.foreign = await idOf(foreignOrg)
})
afterAll(() => world.close())

// Every test begins with one key that has no expiry.
beforeEach(async () => {
  await world.ctx.db.deleteFrom('webhook_keys').where('org_id', '=', orgId).execute()
  world.clock.advance(10_000)
  await webhookKeys(world.ctx, orgId)
  ids.only = await idOf(orgId)
})

async function idOf(organization: string): Promise<string> {
  const row = await world.ctx.db
    .selectFrom('webhook_keys')
    .select('id')
    .where('org_id', '=', organization)
    .executeTakeFirstOrThrow()
  return row.id
}

interface ShownKey {
  readonly id: string
  readonly createdAt: string
  readonly expiresAt?: string
}

/** Whose credential outlives every overlap. */
const operator = () => cast.adminKey
const listed = async (): Promise<ShownKey[]> => (await operator().get(path)).body.webhookKeys
const listedIds = async () => (await listed()).map(({ id }) => id)
const secretOf = async (id: string): Promise<string> => (await operator().get(`${path}/${id}/secret`)).body.secret
const rotated = async (body?: object): Promise<string> => {
  const answer = await operator().post(path, body)
  expect(answer).toMatchObject({ status: 201 })
  return answer.body.id
}
/** What signs now, as `whsec_…`, with nothing remembered from before. */
const signing = async (): Promise<string[]> => {
  world.clock.advance(2_000)
  return (await webhookKeys(world.ctx, orgId)).map((secret) => `whsec_${secret.toString('base64')}`)
}

/** Everyone but a person who is an organization admin and the operator. */
const refusals = (at: () => string): Case<Who>[] => [
  ...callerCases<Who>(at, 'nobody', 'gone'),
  { name: 'no organization admin', as: 'ben', path: at, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
  { name: 'an agent', as: 'bot', path: at, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
  { name: "an admin's API key", as: 'adasKey', path: at, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' },
]

const unknown = (at: (id: string) => string): Case<Who>[] =>
  [
    ['unknown', () => unknownId],
    ["another organization's", () => ids.foreign],
    ['no uuid', () => 'newest'],
    ['with NUL', () => '%00'],
  ].map(([name, id]) => ({
    name: name as string,
    as: 'ada',
    path: () => at((id as () => string)()),
    status: name === 'with NUL' ? 400 : 404,
    code: name === 'with NUL' ? 'MALFORMED_REQUEST' : 'WEBHOOK_KEY_NOT_FOUND',
  }))

table<Who>('GET /v1/webhook-keys', setting, [
  {
    name: 'an organization admin, without secrets',
    as: 'ada',
    path: () => path,
    status: 200,
    check: ({ body }) =>
      expect(body).toEqual({ webhookKeys: [{ id: ids.only, createdAt: world.clock.now().toISOString() }] }),
  },
  { name: 'the admin key', as: 'adminKey', path: () => path, status: 200 },
  ...refusals(() => path),
])

table<Who>('GET /v1/webhook-keys/{id}/secret', setting, [
  {
    name: 'an organization admin, with a leaf and for no cache',
    as: 'ada',
    path: () => `${path}/${ids.only}/secret`,
    status: 200,
    check: async ({ body, headers }) => {
      expect(body).toEqual({ secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/) })
      expect([body.secret]).toEqual(await signing())
      expect(headers['cache-control']).toBe('no-store')
      expect(await leavesOf(world, ids.only)).toEqual(['webhook-key.created', 'webhook-key.read'])
      const { content } = await world.ctx.db
        .selectFrom('audit_leaves')
        .select('content')
        .where('subject_id', '=', ids.only)
        .where('kind', '=', 'webhook-key.read')
        .executeTakeFirstOrThrow()
      expect(JSON.parse(content).actor).toEqual({ kind: 'human', id: ada.id })
      expect(content).not.toContain(body.secret.slice(6))
    },
  },
  { name: 'the admin key', as: 'adminKey', path: () => `${path}/${ids.only}/secret`, status: 200 },
  {
    name: 'an id in capitals',
    as: 'ada',
    path: () => `${path}/${ids.only.toUpperCase()}/secret`,
    status: 200,
  },
  ...refusals(() => `${path}/${ids.only}/secret`),
  ...unknown((id) => `${path}/${id}/secret`),
])

const overlap = (name: string, overlapHours: unknown): Case<Who> => ({
  name,
  as: 'ada',
  path: () => path,
  body: () => ({ overlapHours }),
  status: 400,
  code: 'WEBHOOK_KEY_OVERLAP_HOURS_INVALID',
  field: 'overlapHours',
})

const signsBeside = (name: string, body: object | undefined, hours: number): Case<Who> => ({
  name,
  as: 'ada',
  path: () => path,
  body: () => body,
  status: 201,
  check: async (answer) => {
    const { id } = answer.body
    const at = world.clock.now()
    expect(answer.body).toEqual({ id, createdAt: at.toISOString() })
    expect(answer.headers['location']).toBe(`http://localhost:80${path}/${id}`)
    expect(await listed()).toEqual([
      { id, createdAt: at.toISOString() },
      {
        id: ids.only,
        createdAt: at.toISOString(),
        expiresAt: new Date(at.getTime() + hours * hour).toISOString(),
      },
    ])
    expect(await leavesOf(world, id)).toEqual(['webhook-key.created'])
  },
})

table<Who>('POST /v1/webhook-keys', setting, [
  signsBeside('without a body, the one before signs for a day', undefined, 24),
  signsBeside('without overlapHours too', { other: 1 }, 24),
  signsBeside('for an hour', { overlapHours: 1 }, 1),
  signsBeside('for thirty days', { overlapHours: 720 }, 720),
  {
    name: 'with overlapHours 0 the one before ends at once',
    as: 'ada',
    path: () => path,
    body: () => ({ overlapHours: 0 }),
    status: 201,
    check: async ({ body }) => {
      expect(await listed()).toEqual([body])
      expect(await leavesOf(world, ids.only)).toEqual(['webhook-key.created', 'webhook-key.revoked'])
    },
  },
  { name: 'the admin key', as: 'adminKey', path: () => path, status: 201 },
  ...refusals(() => path),
  overlap('more than thirty days', 721),
  overlap('less than nothing', -1),
  overlap('half an hour', 0.5),
  overlap('a text', '24'),
  overlap('null', null),
  overlap('true', true),
  overlap('a list', [24]),
  { name: 'a list', as: 'ada', path: () => path, body: () => [], status: 400, code: 'MALFORMED_REQUEST' },
  { name: 'a text', as: 'ada', path: () => path, body: () => '"now"', status: 400, code: 'MALFORMED_REQUEST' },
])

table<Who>('DELETE /v1/webhook-keys/{id}', setting, [
  ...refusals(() => `${path}/${ids.only}`),
  ...unknown((id) => `${path}/${id}`),
  {
    name: 'the only one',
    as: 'ada',
    path: () => `${path}/${ids.only}`,
    status: 409,
    code: 'WEBHOOK_KEY_IS_LAST',
  },
])

describe('a rotation', () => {
  it('signs with both keys, the newer first, until the overlap ends to the instant', async () => {
    const before = await secretOf(ids.only)
    const next = await rotated({ overlapHours: 1 })
    const after = await secretOf(next)
    expect(after).not.toBe(before)
    expect(await signing()).toEqual([after, before])
    world.clock.advance(hour - 2_000 - 1)
    expect(await webhookKeys(world.ctx, orgId)).toHaveLength(2)
    world.clock.advance(1)
    expect(await webhookKeys(world.ctx, orgId)).toHaveLength(1)
    expect(await signing()).toEqual([after])
    expect(await listedIds()).toEqual([next])
    expect(said(await operator().get(`${path}/${ids.only}/secret`))).toEqual([404, 'WEBHOOK_KEY_NOT_FOUND'])
    expect(said(await operator().delete(`${path}/${ids.only}`))).toEqual([404, 'WEBHOOK_KEY_NOT_FOUND'])
  })

  it('within the overlap of another ends the oldest key at once', async () => {
    const second = await rotated()
    const third = await rotated()
    expect(await listedIds()).toEqual([third, second])
    expect(await leavesOf(world, ids.only)).toEqual(['webhook-key.created', 'webhook-key.revoked'])
    expect(await rotated({ overlapHours: 0 })).toBe((await listedIds())[0])
    expect(await listed()).toHaveLength(1)
  })

  it('is one, however often it is asked for under one Idempotency-Key', async () => {
    const once = { 'idempotency-key': ids.only }
    const [first, again] = [await operator().post(path, {}, once), await operator().post(path, {}, once)]
    expect([first.status, again.status, again.body]).toEqual([201, 201, first.body])
    expect(await listedIds()).toEqual([first.body.id, ids.only])
    expect(said(await operator().post(path, { overlapHours: 1 }, once))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
  })

  it('signs with the new key at once in the process that it was asked of', async () => {
    await webhookKeys(world.ctx, orgId)
    await rotated()
    expect(await webhookKeys(world.ctx, orgId)).toHaveLength(2)
  })

  it('of an organization that has no key yet makes its first', async () => {
    await world.ctx.db.deleteFrom('webhook_keys').where('org_id', '=', orgId).execute()
    const first = await rotated()
    expect(await listedIds()).toEqual([first])
  })
})

describe('ending a key', () => {
  it('that was followed leaves the newer one, which signs alone at once', async () => {
    const next = await rotated()
    expect(await webhookKeys(world.ctx, orgId)).toHaveLength(2)
    expect((await operator().delete(`${path}/${ids.only}`)).status).toBe(204)
    expect(await listedIds()).toEqual([next])
    expect(await webhookKeys(world.ctx, orgId)).toHaveLength(1)
    expect(await leavesOf(world, ids.only)).toEqual(['webhook-key.created', 'webhook-key.revoked'])
    expect(said(await operator().delete(`${path}/${ids.only}`))).toEqual([404, 'WEBHOOK_KEY_NOT_FOUND'])
  })

  it('that is the newest lets the one before sign on, past the end of the overlap', async () => {
    const next = await rotated({ overlapHours: 1 })
    expect((await operator().delete(`${path}/${next}`)).status).toBe(204)
    world.clock.advance(2 * hour)
    expect(await listed()).toEqual([{ id: ids.only, createdAt: expect.any(String) }])
    expect(await signing()).toHaveLength(1)
  })
})
