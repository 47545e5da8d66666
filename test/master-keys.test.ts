import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openActions } from '../src/approvals/actions.ts'
import { masterKeysOf } from '../src/config/master-keys.ts'
import { headerOf, unseal, type KeyRing } from '../src/config/secrets.ts'
import { webhookKeys } from '../src/deliveries/webhook-keys.ts'
import { defaultOrganization } from '../src/identity/organization.ts'
import { openStore, type Db, type Store } from '../src/store/open.ts'
import { sealServerSecrets } from '../src/store/server-secrets.ts'
import { putStore } from './helpers/embedded-store.ts'
import { sealInFirstFormat } from './helpers/first-format.ts'
import { emptyDatabase, freshDatabase } from './helpers/fresh-database.ts'
import { madeUnder } from './helpers/held.ts'
import { countWaiting } from './helpers/lock-waits.ts'
import { runMain, startServer } from './helpers/server-process.ts'
import { startTemplateWorld, type TemplateWorld } from './helpers/templates.ts'
import { startWorld, type World, type WorldOptions } from './helpers/world.ts'

const bytes = (number: number) => createHash('sha256').update(`master key ${number}`).digest()
const [k1, k2, k3] = [1, 2, 3].map((number) => bytes(number).toString('base64')) as [string, string, string]
const ring = (value: string): KeyRing => masterKeysOf(value) as KeyRing
/** What `base64 -d | sha256sum` begins with. */
const idOf = { k1: '6242dc71', k3: '242f7a59' }

interface StoreOptions extends WorldOptions {
  readonly erase?: () => Promise<void>
}

const stores: Readonly<Record<'postgres' | 'pglite', () => Promise<StoreOptions>>> = {
  postgres: async () => ({ databaseUrl: await freshDatabase() }),
  pglite: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-keys-'))
    await putStore(directory)
    const erase = () => rm(directory, { recursive: true, force: true })
    return { engine: 'pglite', env: { QUORATE_DATA_DIR: directory }, erase }
  },
}

/** The options of a server on the store, with this in QUORATE_MASTER_KEY; null for none. */
const having = (store: StoreOptions, masterKey: string | null): WorldOptions =>
  masterKey === null ? store : { ...store, env: { ...store.env, QUORATE_MASTER_KEY: masterKey } }
const started = async (store: StoreOptions, masterKey: string | null): Promise<World> =>
  await startWorld(having(store, masterKey))

const refusal = (problem: RegExp) => ({
  code: 'CONFIGURATION_INVALID',
  field: 'QUORATE_MASTER_KEY',
  message: expect.stringMatching(problem) as string,
})
const missing = refusal(/^QUORATE_MASTER_KEY is missing: /)
const wrong = (id: string) => refusal(new RegExp(`^QUORATE_MASTER_KEY is not the one .* id ${id}\\.$`))

const rowsOf = (db: Db) => db.selectFrom('server_secrets').selectAll().orderBy('name').execute()

/** Which of the secrets this key alone opens. */
async function openedBy(db: Db, key: string): Promise<boolean[]> {
  return (await rowsOf(db)).map((row) => {
    try {
      return row.is_sealed && unseal(ring(key), row.value, row.name).length === 32
    } catch {
      return false
    }
  })
}

/** Every secret is sealed under this one key. */
async function expectUnder(db: Db, key: string): Promise<void> {
  const opened = await openedBy(db, key)
  expect(opened.length).toBeGreaterThan(1)
  expect(opened).not.toContain(false)
}

const secretText = 'a-very-secret-bearer'
const hook = {
  type: 'WEBHOOK',
  url: 'https://hook.example/run?token=a-very-secret-parameter',
  method: 'POST',
  headers: { Authorization: `Bearer ${secretText}` },
}

async function actionsOf({ ctx }: World, id: string): Promise<unknown> {
  const row = await ctx.db.selectFrom('policies').select('actions').where('id', '=', id).executeTakeFirstOrThrow()
  return openActions(ctx, row.actions)
}

describe.each(['postgres', 'pglite'] as const)('master keys on %s', (engine) => {
  let store: StoreOptions
  beforeAll(async () => void (store = await stores[engine]()))
  afterAll(() => store.erase?.())

  it('change twice over restarts: what they seal stays as it was, and the old ones are needed no more', async () => {
    const kept = async ({ ctx }: World) => ({
      token: ctx.keys.token,
      atRest: ctx.keys.atRest.held,
      signing: await webhookKeys(ctx, defaultOrganization.id),
    })
    let world: World = await startTemplateWorld(having(store, k1))
    const { id } = await (world as TemplateWorld).made({ actions: [hook] })
    const before = await kept(world)
    await expectUnder(world.ctx.db, k1)
    for (const [first, second] of [
      [k2, k1],
      [k3, k2],
    ] as const) {
      for (const value of [`${first},${second}`, first]) {
        await world.close()
        world = await started(store, value)
        await expectUnder(world.ctx.db, first)
        expect(await kept(world)).toEqual(before)
        expect(await actionsOf(world, id)).toEqual([hook])
      }
    }
    await world.close()
    await expect(started(store, `${k1},${k2}`)).rejects.toMatchObject(wrong(idOf.k3))
    await expect(started(store, null)).rejects.toMatchObject(missing)
    await (await started(store, k3)).close()
  })

  it('seal what was readable before there was one', async () => {
    const fresh = await stores[engine]()
    let world = await started(fresh, null)
    const { token } = world.ctx.keys
    expect((await rowsOf(world.ctx.db)).filter((row) => row.is_sealed)).toEqual([])
    await world.close()
    world = await started(fresh, k1)
    expect(world.ctx.keys.token).toEqual(token)
    await expectUnder(world.ctx.db, k1)
    await world.close()
    await expect(started(fresh, null)).rejects.toMatchObject(missing)
    await fresh.erase?.()
  })
})

describe('the secrets of a store', () => {
  let store: { databaseUrl: string }
  let db: Db
  let plain: Store
  beforeAll(async () => {
    store = { databaseUrl: await freshDatabase() }
    await (await started(store, k1)).close()
    plain = await openStore({ engine: 'postgres', url: store.databaseUrl })
    db = plain.db
  })
  afterAll(() => plain.close())

  const write = async (name: string, value: Uint8Array) =>
    void (await db.updateTable('server_secrets').set({ value }).where('name', '=', name).execute())
  const valueOf = async (name: string) => Buffer.from((await rowsOf(db)).find((row) => row.name === name)?.value ?? [])

  it('sealed in the first format open under any key that is given, and are sealed anew', async () => {
    const secrets = (await rowsOf(db)).map((row) => [row.name, unseal(ring(k1), row.value, row.name)] as const)
    for (const [name, secret] of secrets) await write(name, sealInFirstFormat(bytes(1), secret))
    await expect(started(store, k2)).rejects.toMatchObject(refusal(/^QUORATE_MASTER_KEY is not the one .*under\.$/))
    await (await started(store, `${k2},${k1}`)).close()
    await expectUnder(db, k2)
    for (const [name, secret] of secrets) expect(unseal(ring(k2), await valueOf(name), name)).toEqual(secret)
    await (await started(store, `${k1},${k2}`)).close()
  })

  it('are not touched by a start with another key, nor by one that has them all', async () => {
    const before = await rowsOf(db)
    await expect(started(store, k2)).rejects.toMatchObject(wrong(idOf.k1))
    await expect(started(store, `${k2},${k3}`)).rejects.toMatchObject(wrong(idOf.k1))
    await (await started(store, k1)).close()
    await (await started(store, `${k1},${k2}`)).close()
    expect(await rowsOf(db)).toEqual(before)
  })

  it.each<[string, (sealed: Buffer) => Buffer]>([
    ['cut to nothing', () => Buffer.alloc(0)],
    ['cut within its header', (sealed) => sealed.subarray(0, 3)],
    ['cut within its tag', (sealed) => sealed.subarray(0, 20)],
    ['cut at its end', (sealed) => sealed.subarray(0, -1)],
    ['altered', (sealed) => Buffer.concat([sealed.subarray(0, -1), Buffer.of((sealed.at(-1) ?? 0) ^ 1)])],
    ['of the first format and cut', (sealed) => Buffer.concat([Buffer.of(1), sealed.subarray(5, -1)])],
  ])('refuse the start when one is %s, and the others stay as they are', async (_what, damage) => {
    const name = 'at-rest'
    const whole = await valueOf(name)
    await write(name, damage(whole))
    const before = await rowsOf(db)
    // The first to be sealed anew would be another one.
    expect(before[0]?.name).toBe('access-token')
    for (const value of [k1, `${k2},${k1}`]) {
      await expect(started(store, value)).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
        message: 'The store\'s secret "at-rest" is damaged. Restore the table server_secrets from a backup.',
      })
    }
    expect(await rowsOf(db)).toEqual(before)
    await write(name, whole)
  })

  it('refuse the start when two of them have been exchanged', async () => {
    const [token, mark] = [await valueOf('access-token'), await valueOf('leaf-mark')]
    await write('access-token', mark)
    await write('leaf-mark', token)
    const before = await rowsOf(db)
    // Nor does a change of the master key seal each under the other's name.
    for (const value of [k1, `${k2},${k1}`]) {
      await expect(started(store, value)).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
        message: 'The store\'s secret "access-token" is damaged. Restore the table server_secrets from a backup.',
      })
    }
    expect(await rowsOf(db)).toEqual(before)
    await write('access-token', token)
    await write('leaf-mark', mark)
  })

  it('that are readable and not whole are refused too', async () => {
    const fresh = { databaseUrl: await freshDatabase() }
    const world = await started(fresh, null)
    await sql`update server_secrets set value = substring(value from 1 for 31)`.execute(world.ctx.db)
    await world.close()
    for (const value of [null, k1]) {
      await expect(started(fresh, value)).rejects.toMatchObject({ message: expect.stringMatching(/is damaged/) })
    }
  })

  it('that are readable are sealed even where they begin like a sealed one', async () => {
    const fresh = { databaseUrl: await freshDatabase() }
    const world = await started(fresh, null)
    const value = Buffer.concat([headerOf(ring(k1)), bytes(9).subarray(5)])
    await world.ctx.db.updateTable('server_secrets').set({ value }).where('name', '=', 'access-token').execute()
    await world.close()
    await using sealed = await started(fresh, k1)
    await expectUnder(sealed.ctx.db, k1)
    expect(sealed.ctx.keys.token).toEqual(value)
  })

  it('are sealed anew by one of two processes that start at once', async () => {
    const count = (await rowsOf(db)).length
    const other = await openStore({ engine: 'postgres', url: store.databaseUrl })
    const lock = sql`select 1 from server_secrets for update`
    const keys = ring(`${k2},${k1}`)
    const sealed = await madeUnder(db, lock, [
      () => sealServerSecrets(other.db, keys),
      () => sealServerSecrets(db, keys),
    ])
    expect(sealed.toSorted((a, b) => a - b)).toEqual([0, count])
    await expectUnder(db, k2)
    await other.close()
    const worlds = await Promise.all([started(store, `${k1},${k2}`), started(store, `${k1},${k2}`)])
    await expectUnder(db, k1)
    expect(worlds[0].ctx.keys.token).toEqual(worlds[1].ctx.keys.token)
    await Promise.all(worlds.map((world) => world.close()))
  })
})

describe('a process that is killed while it seals the secrets anew', { timeout: 120_000 }, () => {
  it('leaves all of them as they were, and the next one does it', async () => {
    const databaseUrl = await emptyDatabase()
    const env = { DATABASE_URL: databaseUrl }
    const first = await startServer({ ...env, QUORATE_MASTER_KEY: k1 })
    expect(await first.stop()).toBe(0)
    await using store = await holding(databaseUrl)
    const before = await rowsOf(store.db)
    expect(before.map((row) => row.name)).toEqual([
      'access-token',
      'at-rest',
      'development-cookies',
      'development-sign-in',
      'leaf-mark',
      'log-key',
    ])

    // The third of five waits, with two written.
    const gate = 4711
    await sql`create function wait_at_gate() returns trigger language plpgsql as
      'begin perform pg_advisory_xact_lock(${sql.raw(String(gate))}); return new; end'`.execute(store.db)
    await sql`create trigger gate before update on server_secrets for each row
      when (old.name = 'development-cookies') execute function wait_at_gate()`.execute(store.db)
    await store.db.connection().execute(async (held) => {
      await sql`select pg_advisory_lock(${gate})`.execute(held)
      const killed = runMain({ PORT: '0', ...env, QUORATE_MASTER_KEY: `${k2},${k1}` })
      await expect.poll(() => countWaiting(store.db), { timeout: 30_000 }).toBe(1)
      killed.process.kill('SIGKILL')
      await killed.exited
      await sql`select pg_advisory_unlock(${gate})`.execute(held)
    })
    await sql`drop trigger gate on server_secrets`.execute(store.db)
    expect(await rowsOf(store.db)).toEqual(before)

    const again = await startServer({ ...env, QUORATE_MASTER_KEY: `${k2},${k1}` })
    await expectUnder(store.db, k2)
    expect(await again.stop()).toBe(0)
    const last = await startServer({ ...env, QUORATE_MASTER_KEY: k2 })
    expect(await last.stop()).toBe(0)
  })
})

async function holding(url: string): Promise<{ db: Db } & AsyncDisposable> {
  const store = await openStore({ engine: 'postgres', url })
  return { db: store.db, [Symbol.asyncDispose]: () => store.close() }
}

it('with a master key nothing secret is readable in the files of the store', async () => {
  const store = await stores.pglite()
  const directory = store.env?.QUORATE_DATA_DIR ?? ''
  const world = await startTemplateWorld(having(store, k1))
  const once = { 'idempotency-key': 'made-once' }
  const made = await world.ada.post('/v1/api-keys', { name: 'CI', scopes: ['native:read'] }, once)
  expect(made.status).toBe(201)
  const { id } = await world.made({ actions: [hook], description: 'what may be read' })
  const { keys } = world.ctx
  const signing = await webhookKeys(world.ctx, defaultOrganization.id)
  await world.close()
  // Changed over twice, so that what was written on the way is looked through too.
  for (const value of [`${k2},${k1}`, `${k1},${k2}`]) await (await started(store, value)).close()

  const files = await contentsOf(directory)
  const found = (wanted: Buffer | string) => files.some((file) => file.includes(wanted))
  expect(found('what may be read')).toBe(true)
  expect(found(Buffer.from(id.replaceAll('-', ''), 'hex'))).toBe(true)
  const secrets = [secretText, 'a-very-secret-parameter', made.body.key as string]
  const raw = [keys.token, ...keys.atRest.held.byNumber.values(), ...signing, bytes(1), bytes(2)]
  for (const secret of secrets) expect(found(secret), secret).toBe(false)
  for (const secret of raw) {
    expect(found(secret)).toBe(false)
    expect(found(secret.toString('hex'))).toBe(false)
    expect(found(secret.toString('base64'))).toBe(false)
  }
  await store.erase?.()
})

async function contentsOf(directory: string): Promise<Buffer[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name))))
}
