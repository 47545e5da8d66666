import { pino } from 'pino'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openActions, sealActions, type Action } from '../src/approvals/actions.ts'
import { keyNumberOf, seal, unseal } from '../src/config/secrets.ts'
import { webhookKeys } from '../src/deliveries/webhook-keys.ts'
import { maintain } from '../src/maintenance.ts'
import { addDataKey, readDataKeys } from '../src/store/data-keys.ts'
import { keepDataKeys } from '../src/store/keep-data-keys.ts'
import type { Db } from '../src/store/open.ts'
import { resealColumn } from '../src/store/reseal.ts'
import { transact } from '../src/store/unit-of-work.ts'
import { sealInFirstFormat } from './helpers/first-format.ts'
import { emptyDatabase, freshDatabase } from './helpers/fresh-database.ts'
import { madeUnder } from './helpers/held.ts'
import { untilWaiting } from './helpers/lock-waits.ts'
import { insertGroup, insertPolicy, orgId, seats } from './helpers/quorum.ts'
import { runMain } from './helpers/server-process.ts'
import { startWorld, type World } from './helpers/world.ts'

const minute = 60_000
const env = { QUORATE_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') }
const hook: Action = { type: 'WEBHOOK', url: 'https://hook.example/', method: 'POST', headers: { 'X-Token': 'secret' } }

const addKey = ({ ctx }: World) => addDataKey(ctx.db, ctx.config.masterKeys, ctx.clock.now())
const sealing = ({ ctx }: World) => ctx.keys.atRest.held.sealing

/** A policy with these actions; gives its id. */
async function policyWith({ ctx }: World, actions: readonly Action[]): Promise<string> {
  const id = await insertPolicy(ctx, seats(await insertGroup(ctx, []), 1))
  await writeActions(ctx.db, id, sealActions(ctx, actions))
  return id
}

async function writeActions(db: Db, id: string, actions: Uint8Array): Promise<void> {
  await db.updateTable('policies').set({ actions }).where('id', '=', id).execute()
}

async function actionsOf({ ctx }: World, id: string): Promise<Uint8Array> {
  return (await ctx.db.selectFrom('policies').select('actions').where('id', '=', id).executeTakeFirstOrThrow()).actions
}

/** Under which data key each of these policies is sealed. */
async function numbersOf(world: World, ids: readonly string[]): Promise<(number | null)[]> {
  return await Promise.all(ids.map(async (id) => keyNumberOf(await actionsOf(world, id))))
}

describe.each(['postgres', 'pglite'] as const)('a new data key on %s', (engine) => {
  let world: World
  beforeAll(async () => void (world = await startWorld({ engine, env })))
  afterAll(() => world.close())

  it('seals once every process has had time to take it up, and what older ones sealed is sealed anew', async () => {
    const { ctx, clock } = world
    const id = await policyWith(world, [hook])
    const inFirstFormat = await policyWith(world, [])
    const firstKey = ctx.keys.atRest.held.byNumber.get(1) as Buffer
    await writeActions(ctx.db, inFirstFormat, sealInFirstFormat(firstKey, Buffer.from(JSON.stringify([hook]))))
    const signing = await webhookKeys(ctx, orgId)
    const once = { caller: 'any', key: 'once', fingerprint: 'same' }
    await transact(ctx, once, async () => 'the answer')

    const sealsFrom = new Date(clock.now().getTime() + 5 * minute)
    expect(await addKey(world)).toEqual({ number: 2, sealsFrom })
    await maintain(ctx)
    expect([...ctx.keys.atRest.held.byNumber.keys()]).toEqual([1, 2])
    clock.advance(5 * minute - 1)
    await maintain(ctx)
    expect([sealing(world), keyNumberOf(sealActions(ctx, []))]).toEqual([1, 1])
    expect(await numbersOf(world, [id])).toEqual([1])

    clock.advance(1)
    await maintain(ctx)
    expect([sealing(world), keyNumberOf(sealActions(ctx, []))]).toEqual([2, 2])
    expect(await numbersOf(world, [id, inFirstFormat])).toEqual([2, 2])
    for (const policy of [id, inFirstFormat]) {
      expect(openActions(ctx, await actionsOf(world, policy))).toEqual([hook])
    }
    const { secret } = await ctx.db.selectFrom('webhook_keys').select('secret').executeTakeFirstOrThrow()
    expect(keyNumberOf(secret)).toBe(2)
    clock.advance(minute)
    expect(await webhookKeys(ctx, orgId)).toEqual(signing)
    expect(await transact(ctx, once, async () => 'another')).toBe('the answer')
  })

  it('is followed by others, and a server that starts anew opens whatever any of them sealed', async () => {
    const { ctx, clock } = world
    const before = await policyWith(world, [hook])
    const value = await actionsOf(world, before)
    expect((await addKey(world)).number).toBe(3)
    clock.advance(5 * minute)
    await maintain(ctx)
    expect(await numbersOf(world, [before])).toEqual([3])
    expect(openActions(ctx, value)).toEqual([hook])
    expect(ctx.keys.atRest.held.byNumber.size).toBe(3)
  })
})

describe('sealing anew', () => {
  let databaseUrl: string
  let world: World
  let other: World
  let ids: string[]
  beforeAll(async () => {
    databaseUrl = await freshDatabase()
    world = await startWorld({ databaseUrl, env })
    other = await startWorld({ databaseUrl, env })
  })
  afterAll(async () => {
    await world.close()
    await other.close()
  })
  // Each test begins with so many values under the key before the one that seals.
  const count = 250
  const column = { table: 'policies', column: 'actions' }
  beforeEach(async () => {
    const { db, newId } = world.ctx
    await db.deleteFrom('policies').execute()
    const id = await policyWith(world, [])
    const row = await db.selectFrom('policies').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    const json = { metadata: '{}', rule: '{}', stages: '[]', options: '{}' }
    const copies = Array.from({ length: count - 1 }, (_, index) => ({ ...row, ...json, id: newId(), name: `${index}` }))
    await db.insertInto('policies').values(copies).execute()
    ids = [id, ...copies.map((copy) => copy.id)]
    await addKey(world)
    for (const { ctx, clock } of [world, other]) {
      clock.advance(5 * minute)
      ctx.keys.atRest.held = await readDataKeys(ctx.db, ctx.config.masterKeys, clock.now())
    }
    expect(new Set(await numbersOf(world, ids))).toEqual(new Set([sealing(world) - 1]))
  })

  const reseal = (db: Db = world.ctx.db) => resealColumn(db, world.ctx.keys.atRest, column)

  it('goes on where a process that died left it', async () => {
    await expect(reseal(dyingAfter(120, world.ctx.db))).rejects.toThrow('died')
    const numbers = await numbersOf(world, ids)
    expect(numbers.filter((number) => number === sealing(world))).toHaveLength(120)
    expect(await reseal()).toEqual({ resealed: count - 120, unreadable: 0 })
    expect(await reseal()).toEqual({ resealed: 0, unreadable: 0 })
    expect(new Set(await numbersOf(world, ids))).toEqual(new Set([sealing(world)]))
  })

  it('is done once for each value by two processes together', async () => {
    const both = await Promise.all([reseal(), reseal(other.ctx.db)])
    expect(both[0].resealed + both[1].resealed).toBe(count)
    expect(new Set(await numbersOf(other, ids))).toEqual(new Set([sealing(other)]))
  })

  it('reaches every value where several have one part of their key in common', async () => {
    const { db, keys, newId } = world.ctx
    const [org, request] = [newId(), newId()]
    await sql`create table parts (org_id uuid, request_id uuid, principal_id uuid, body bytea)`.execute(db)
    const [earlier, plain] = [sealing(world) - 1, Buffer.from('part')]
    const old = seal({ held: { ...keys.atRest.held, sealing: earlier } }, plain)
    for (let made = 0; made < count; made += 1) {
      await sql`insert into parts values (${org}, ${request}, ${newId()}, ${made % 5 === 0 ? null : old})`.execute(db)
    }
    const key = ['org_id', 'request_id', 'principal_id']
    const done = await resealColumn(db, keys.atRest, { table: 'parts', column: 'body', key })
    expect(done).toEqual({ resealed: (count / 5) * 4, unreadable: 0 })
    const { rows } = await sql<{ body: Buffer }>`select body from parts where body is not null`.execute(db)
    expect(rows.every(({ body }) => unseal(keys.atRest, body).equals(plain))).toBe(true)
    expect(new Set(rows.map(({ body }) => keyNumberOf(body)))).toEqual(new Set([sealing(world)]))
  })

  it('leaves alone what cannot be opened, says how many, and goes on behind it', async () => {
    const damaged = ids.slice(0, 3)
    for (const id of damaged) await writeActions(world.ctx.db, id, Buffer.of(0))
    const error = vi.fn()
    const info = vi.fn()
    await keepDataKeys({ ...world.ctx, log: { error, info } })
    const dataKey = sealing(world)
    expect(info).toHaveBeenCalledWith({ ...column, dataKey, resealed: count - 3 }, 'sealed anew')
    expect(error).toHaveBeenCalledWith({ ...column, unreadable: 3 }, 'some sealed values cannot be opened')
    expect(Buffer.from(await actionsOf(world, ids[0] as string))).toEqual(Buffer.of(0))
  })

  it('does not overwrite what was written meanwhile', async () => {
    const [id] = ids as [string]
    const { db } = world.ctx
    const resealing = await db.transaction().execute(async (tx) => {
      await writeActions(tx as Db, id, sealActions(world.ctx, [hook]))
      const started = reseal(other.ctx.db)
      await untilWaiting(db)
      return { started }
    })
    expect(await resealing.started).toEqual({ resealed: count - 1, unreadable: 0 })
    expect(openActions(world.ctx, await actionsOf(world, id))).toEqual([hook])
  })

  it('is looked for once by each process, until another key seals', async () => {
    const asked = vi.fn()
    const db = world.ctx.db.withPlugin({
      transformQuery({ node }) {
        if (JSON.stringify(node).includes('"policies"')) asked()
        return node
      },
      transformResult: async ({ result }) => result,
    })
    const log = pino({ level: 'silent' })
    await keepDataKeys({ ...world.ctx, db, log })
    const first = asked.mock.calls.length
    expect(first).toBeGreaterThan(count)
    await keepDataKeys({ ...world.ctx, db, log })
    expect(asked).toHaveBeenCalledTimes(first)
  })
})

/** The store as a process has it that dies after so many updates. */
function dyingAfter(updates: number, db: Db): Db {
  let seen = 0
  return db.withPlugin({
    transformQuery({ node }) {
      const isUpdate = node.kind === 'RawNode' && node.sqlFragments[0]?.startsWith('update')
      if (isUpdate === true && seen++ === updates) throw new Error('died')
      return node
    },
    transformResult: async ({ result }) => result,
  })
}

it('two who make a data key at once make one', async () => {
  const databaseUrl = await freshDatabase()
  await using world = await startWorld({ databaseUrl, env })
  await using other = await startWorld({ databaseUrl, env })
  const lock = sql`lock table server_secrets in share mode`
  const made = await madeUnder(world.ctx.db, lock, [() => addKey(world), () => addKey(other)])
  expect(made.map(({ number }) => number)).toEqual([2, 2])
  expect((await addKey(other)).number).toBe(3)
})

describe('node src/main.ts', { timeout: 60_000 }, () => {
  it('rotate-data-key makes a data key, says from when on it seals, and exits with 0', async () => {
    const store = { DATABASE_URL: await emptyDatabase(), ...env }
    const command = runMain(store, 'rotate-data-key')
    expect(await command.exited).toBe(0)
    expect(command.printed()).toMatch(/^Data key 2 is made\. Servers seal with it from \d{4}-\S+Z on\.\n$/)
    await using world = await startWorld({
      databaseUrl: store.DATABASE_URL,
      env,
      start: new Date(Date.now() + 6 * minute),
    })
    expect(sealing(world)).toBe(2)
  })

  it('rotate-data-key without the master key says so in one line and exits with 1', async () => {
    const databaseUrl = await freshDatabase()
    await (await startWorld({ databaseUrl, env })).close()
    const command = runMain({ DATABASE_URL: databaseUrl }, 'rotate-data-key')
    expect(await command.exited).toBe(1)
    expect(command.printed()).toMatch(/^quorate: QUORATE_MASTER_KEY is missing: [^\n]*\n$/)
  })

  it('with a command that there is not says so in one line and exits with 1', async () => {
    const command = runMain({ QUORATE_DATA_DIR: 'memory://' }, 'rotate')
    expect(await command.exited).toBe(1)
    expect(command.printed()).toMatch(/^quorate: There is no command "rotate": [^\n]*\n$/)
  })
})
