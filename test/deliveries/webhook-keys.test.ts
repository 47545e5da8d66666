import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { webhookKeys } from '../../src/deliveries/webhook-keys.ts'
import { defaultOrganization } from '../../src/identity/organization.ts'
import { maintain } from '../../src/maintenance.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { madeUnder } from '../helpers/held.ts'
import { bearing } from '../helpers/machine.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

const path = '/v1/webhook-keys'
const orgId = defaultOrganization.id
const env = { QUORATE_ADMIN_KEY: 'an-admin-key-that-only-this-test-knows' }

let databaseUrl: string
let world: World
let operator: Omit<Client, 'id'>

beforeAll(async () => {
  databaseUrl = await freshDatabase()
  world = await startWorld({ databaseUrl, env })
  operator = bearing(world, env.QUORATE_ADMIN_KEY)
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.ctx.db.deleteFrom('webhook_keys').execute()
  world.clock.advance(10_000)
})

const rows = () => world.ctx.db.selectFrom('webhook_keys').selectAll().execute()
const created = async () => {
  const kinds = await world.ctx.db.selectFrom('audit_leaves').select('kind').execute()
  return kinds.filter(({ kind }) => kind === 'webhook-key.created').length
}

describe('the keys that sign webhooks', () => {
  it('are one of 32 random bytes when nobody has asked before, which stays', async () => {
    const [key, ...others] = await webhookKeys(world.ctx, orgId)
    expect([key?.length, others]).toEqual([32, []])
    world.clock.advance(60_000)
    expect(await webhookKeys(world.ctx, orgId)).toEqual([key])
  })

  it('lie sealed in the store', async () => {
    const [key] = await webhookKeys(world.ctx, orgId)
    const [row] = await rows()
    expect(Buffer.from(row?.secret ?? []).includes(key as Buffer)).toBe(false)
  })

  it('are each organization’s own', async () => {
    const id = world.ctx.newId()
    await world.ctx.db.insertInto('organizations').values({ id, name: id, created_at: new Date() }).execute()
    expect(await webhookKeys(world.ctx, id)).not.toEqual(await webhookKeys(world.ctx, orgId))
  })

  it('are read from the store once for many calls, and again after two seconds', async () => {
    const onQuery = vi.fn()
    const db = world.ctx.db.withPlugin({
      transformQuery({ node }) {
        onQuery()
        return node
      },
      transformResult: async ({ result }) => result,
    })
    await webhookKeys(world.ctx, orgId)
    world.clock.advance(2_000)
    const ask = async () => await webhookKeys({ ...world.ctx, db }, orgId)
    await Promise.all([ask(), ask(), ask()])
    world.clock.advance(1_999)
    await ask()
    expect(onQuery).toHaveBeenCalledTimes(1)
    world.clock.advance(1)
    await ask()
    expect(onQuery).toHaveBeenCalledTimes(2)
  })

  it('are asked for again after a failure', async () => {
    const db = new Proxy(world.ctx.db, {
      get: () => {
        throw new Error('away')
      },
    })
    await expect(webhookKeys({ ...world.ctx, db }, orgId)).rejects.toThrow('away')
    expect(await webhookKeys(world.ctx, orgId)).toHaveLength(1)
  })

  it('are forgotten with their secrets once their overlap is over, and not before', async () => {
    await webhookKeys(world.ctx, orgId)
    await operator.post(path, { overlapHours: 1 })
    world.clock.advance(3_600_000)
    await maintain(world.ctx)
    expect(await rows()).toHaveLength(2)
    world.clock.advance(1)
    await maintain(world.ctx)
    expect(await rows()).toHaveLength(1)
  })
})

describe('two servers on one PostgreSQL', () => {
  let other: World
  beforeAll(async () => void (other = await startWorld({ databaseUrl, env })))
  afterAll(() => other.close())
  beforeEach(() => other.clock.set(world.clock.now()))

  it('agree on the first key when both find none', async () => {
    const before = await created()
    const lock = sql`select id from organizations where id = ${orgId} for update`
    const keys = await madeUnder(world.ctx.db, lock, [
      () => webhookKeys(world.ctx, orgId),
      () => webhookKeys(other.ctx, orgId),
    ])
    expect(keys[0]).toHaveLength(1)
    expect(keys[1]).toEqual(keys[0])
    expect((await created()) - before).toBe(1)
  })

  it('both sign with a new key, and no longer with an ended one, two seconds later', async () => {
    const [first] = await webhookKeys(other.ctx, orgId)
    const { id } = (await operator.get(path)).body.webhookKeys[0]
    await operator.post(path)
    await operator.delete(`${path}/${id}`)
    const [next] = await webhookKeys(world.ctx, orgId)
    expect(next).not.toEqual(first)
    other.clock.advance(2_000)
    expect(await webhookKeys(other.ctx, orgId)).toEqual([next])
  })

  it('leave two keys after rotations at once, one of them without an expiry', async () => {
    await webhookKeys(world.ctx, orgId)
    const elsewhere = bearing(other, env.QUORATE_ADMIN_KEY)
    const lock = sql`select id from organizations where id = ${orgId} for update`
    const answers = await madeUnder(world.ctx.db, lock, [() => operator.post(path), () => elsewhere.post(path)])
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    const kept = await rows()
    expect(new Set(kept.map(({ id }) => id))).toEqual(new Set(answers.map(({ body }) => body.id)))
    expect(kept).toHaveLength(2)
    expect(kept.filter((row) => row.expires_at === null)).toHaveLength(1)
  })

  it('do not both end a key when two are left', async () => {
    await webhookKeys(world.ctx, orgId)
    await operator.post(path)
    const [newer, older] = (await operator.get(path)).body.webhookKeys
    const elsewhere = bearing(other, env.QUORATE_ADMIN_KEY)
    const lock = sql`select id from organizations where id = ${orgId} for update`
    const answers = await madeUnder(world.ctx.db, lock, [
      () => operator.delete(`${path}/${newer.id}`),
      () => elsewhere.delete(`${path}/${older.id}`),
    ])
    expect(answers.map(({ status, body }) => [status, body?.code])).toEqual([
      [204, undefined],
      [409, 'WEBHOOK_KEY_IS_LAST'],
    ])
    expect(await rows()).toMatchObject([{ id: older.id, expires_at: null }])
  })
})
