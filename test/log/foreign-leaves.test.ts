import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { renderLeaf } from '../../src/audit/leaf.ts'
import { macKey } from '../../src/config/mac-key.ts'
import { sealNow } from '../../src/audit/seal.ts'
import { sealAll } from '../../src/jobs/sealing.ts'
import { createSealingMemory } from '../../src/store/sealing-memory.ts'
import { findUnsealed } from '../../src/store/log.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { addLeaves, faultsOfLog, leafRow, logOf } from '../helpers/log.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorld, type World } from '../helpers/world.ts'

describe.each(['postgres', 'pglite'] as const)('what the server did not write, on %s', (engine) => {
  let world: World
  let text: (words: string) => string
  let complaints: ReturnType<typeof vi.spyOn>
  beforeAll(async () => void (world = await startWorld({ engine })))
  afterAll(() => world.close())
  beforeEach(async () => {
    const name = expect.getState().currentTestName
    text = (words) => `${words}: ${name}`
    complaints = vi.spyOn(world.ctx.log, 'error')
    await addLeaves(world.ctx, [text('before')])
    await sealNow(world.ctx, orgId)
  })
  afterEach(() => complaints.mockRestore())

  const insert = async (
    row: Partial<Omit<ReturnType<typeof leafRow>, 'mark'>> & { readonly mark?: Uint8Array | null },
  ) => {
    const whole = { ...leafRow(world.ctx, text('forged')), ...row }
    const { id } = await world.ctx.db.insertInto('audit_leaves').values(whole).returning('id').executeTakeFirstOrThrow()
    return id
  }
  const sealedFrom = async (from: number) => (await logOf(world.ctx.db)).slice(from).map(({ content }) => content)
  const sizeNow = async () => (await logOf(world.ctx.db)).length
  const untilSettled = async () =>
    await expect
      .poll(async () => {
        await sealAll(world.ctx)
        return await findUnsealed(world.ctx.db)
      })
      .toEqual([])
  const told = () => complaints.mock.calls.map(([about]: readonly unknown[]) => (about as { leafId?: string }).leafId)
  const figure = async () => (await world.ctx.metrics.refusedLeaves.get()).values[0]?.value ?? 0

  /** Seals while a leaf of someone's own stands between two of the server's, and finds the two alone sealed. */
  async function refused(row: Parameters<typeof insert>[0]) {
    const [size, before] = [await sizeNow(), await figure()]
    await addLeaves(world.ctx, [text('good')])
    const id = await insert(row)
    await addLeaves(world.ctx, [text('better')])
    expect(await sealNow(world.ctx, orgId)).toBe(2)
    await untilSettled()
    await sealAll(world.ctx)
    expect(await sealedFrom(size)).toEqual([text('good'), text('better')])
    expect(await faultsOfLog(world.ctx)).toEqual([])
    expect(told()).toEqual([id])
    expect(await figure()).toBe(before + 1)
  }

  it('is not sealed without a mark', async () => await refused({ mark: null }))
  it('is not sealed with a mark that is too short', async () => await refused({ mark: Buffer.alloc(3) }))
  it('is not sealed with any mark', async () => await refused({ mark: randomBytes(32) }))
  it('is not sealed with the mark of another leaf', async () =>
    await refused({ mark: leafRow(world.ctx, text('good')).mark }))
  it('is not sealed when its text is another’s', async () =>
    await refused({ ...leafRow(world.ctx, text('real')), content: text('unreal') }))
  it('is not sealed under another subject', async () => await refused({ subject_id: world.ctx.newId() }))
  it('is not sealed when it is in the log already', async () => await refused(leafRow(world.ctx, text('before'))))
  it('is not sealed when it is sealed beside it', async () => await refused(leafRow(world.ctx, text('good'))))

  it('is not sealed in another organization', async () => {
    const { ctx } = world
    const other = { id: ctx.newId(), name: text('other'), created_at: ctx.clock.now() }
    await ctx.db.insertInto('organizations').values(other).execute()
    await insert({ ...leafRow(ctx, text('good')), org_id: other.id })
    expect(await sealNow(ctx, other.id)).toBe(0)
    expect(complaints).toHaveBeenCalledOnce()
    await addLeaves(ctx, [text('good')])
    expect(await sealNow(ctx, orgId)).toBe(1)
  })

  it('is refused however much there is of it, and holds nothing else up', async () => {
    const size = await sizeNow()
    await sql`insert into audit_leaves (org_id, kind, subject_id, content, created_at)
      select ${orgId}::uuid, 'user.created', ${orgId}::uuid, ${engine} || n, now() from generate_series(1, 12000) n`.execute(
      world.ctx.db,
    )
    await addLeaves(world.ctx, [text('good')])
    expect(await sealNow(world.ctx, orgId)).toBe(1)
    expect(await sealedFrom(size)).toEqual([text('good')])
    expect(new Set(told()).size).toBe(12_000)
    expect(complaints).toHaveBeenCalledTimes(12_000)
  })

  it('cannot end the log by an id that is far ahead', async () => {
    const { ctx } = world
    const size = await sizeNow()
    await sql`insert into audit_leaves (org_id, id, kind, subject_id, content, created_at)
      values (${orgId}, 1000000000000, 'user.created', ${orgId}, 'far', now())`.execute(ctx.db)
    for (const word of ['one', 'two', 'three']) {
      await addLeaves(ctx, [text(word)])
      expect(await sealNow(ctx, orgId)).toBe(1)
    }
    expect(await sealedFrom(size)).toEqual([text('one'), text('two'), text('three')])
    expect(complaints).toHaveBeenCalledOnce()
  })
})

describe.each(['postgres', 'pglite'] as const)('a head that the server did not sign, on %s', (engine) => {
  let world: World
  let org: string
  beforeAll(async () => void (world = await startWorld({ engine })))
  afterAll(() => world.close())
  // Each has a log of its own.
  beforeEach(async () => {
    org = await organization()
    await add(org, 'one', 'two', 'three', 'four')
    await sealNow(world.ctx, org)
  })

  const organization = async () => {
    const id = world.ctx.newId()
    await world.ctx.db.insertInto('organizations').values({ id, name: id, created_at: world.ctx.clock.now() }).execute()
    return id
  }
  const add = async (to: string, ...contents: readonly string[]) => {
    const rows = contents.map((content) => leafRow(world.ctx, content, to, to))
    await world.ctx.db.insertInto('audit_leaves').values(rows).execute()
  }
  const run = async (statement: ReturnType<typeof sql>) => await statement.execute(world.ctx.db)
  const withoutTriggers = async (table: string, change: ReturnType<typeof sql>) => {
    await run(sql`alter table ${sql.table(table)} disable trigger user`)
    await run(change)
    await run(sql`alter table ${sql.table(table)} enable trigger user`)
  }
  const setHead = async (change: ReturnType<typeof sql>) =>
    await run(sql`update log_heads set ${change} where org_id = ${org}`)

  const changes: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
    [
      'other subtrees',
      /another root than its newest checkpoint/,
      () => setHead(sql`frontier = overlay(frontier placing '\\x01ff' from 1)`),
    ],
    ['too few subtrees', /subtrees in its head are not those/, () => setHead(sql`frontier = ''`)],
    ['half a subtree', /subtrees in its head are not those/, () => setHead(sql`frontier = substring(frontier from 2)`)],
    ['another size', /4 entries, and its head is one of 8/, () => setHead(sql`size = 8`)],
    ['another origin', /not signed by the log/, () => setHead(sql`origin = 'elsewhere/log/1'`)],
    [
      'an entry more',
      /5 entries, and its head is one of 4/,
      () =>
        run(
          sql`insert into log_entries select org_id, 4, -1, hash, subject_id from log_entries where org_id = ${org} and index = 0`,
        ),
    ],
    [
      'an entry less',
      /3 entries, and its head is one of 4/,
      () => withoutTriggers('log_entries', sql`delete from log_entries where org_id = ${org} and index = 3`),
    ],
    [
      'no checkpoint',
      /no checkpoint/,
      () => withoutTriggers('log_checkpoints', sql`delete from log_checkpoints where org_id = ${org}`),
    ],
    [
      'a checkpoint that it did not sign',
      /not signed by the log/,
      () =>
        withoutTriggers(
          'log_checkpoints',
          sql`update log_checkpoints set note = regexp_replace(note, ' [^ ]+\n$', ' ' || ${Buffer.alloc(68).toString('base64')} || E'\n')
            where org_id = ${org}`,
        ),
    ],
    [
      'another checkpoint',
      /is of 4 leaves/,
      () =>
        run(
          sql`insert into log_checkpoints select org_id, 5, root, note, created_at from log_checkpoints where org_id = ${org}`,
        ),
    ],
  ]

  it.each(changes)('is not gone on from: %s', async (_, what, change) => {
    const { ctx } = world
    const checkpoints = () =>
      ctx.db.selectFrom('log_checkpoints').selectAll().where('org_id', '=', org).orderBy('size').execute()
    await change()
    const before = await checkpoints()
    await add(org, 'more')
    const complaints = vi.spyOn(ctx.log, 'error')
    for (let round = 0; round < 3; round++) await sealAll(ctx)
    expect(complaints).toHaveBeenCalledOnce()
    expect(complaints.mock.calls[0]?.[0]).toMatchObject({ orgId: org, err: { message: expect.stringMatching(what) } })
    complaints.mockRestore()
    await expect(sealNow(ctx, org)).rejects.toThrow(what)
    expect(await checkpoints()).toEqual(before)
    expect(await findUnsealed(ctx.db)).toContain(org)
    expect(await world.anyone.get('/health')).toMatchObject({ status: 200 })
  })

  const logTables = ['log_cosignatures', 'log_checkpoints', 'log_nodes', 'log_entries', 'log_heads', 'audit_leaves']

  /** Sets all tables of a log back to what they were, as a restored backup does. @returns does it */
  const kept = async () => {
    const rows = await Promise.all(
      logTables.map(
        async (table) =>
          (
            await sql<{ row: string }>`select t::text as row from ${sql.table(table)} t where org_id = ${org}`.execute(
              world.ctx.db,
            )
          ).rows,
      ),
    )
    return async () =>
      await world.ctx.db.transaction().execute(async (tx) => {
        await sql`set local session_replication_role = replica`.execute(tx)
        for (const [place, table] of logTables.entries()) {
          await sql`delete from ${sql.table(table)} where org_id = ${org}`.execute(tx)
          for (const { row } of rows[place] ?? []) {
            await sql`insert into ${sql.table(table)} select (${row}::${sql.table(table)}).*`.execute(tx)
          }
        }
      })
  }
  /** Seals as a process does that knows nothing of the log. */
  const sealElsewhere = async () =>
    await sealNow({ ...world.ctx, store: { ...world.ctx.store, sealingMemory: createSealingMemory() } }, org)

  const setBacks: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
    ['shorter', /has 4 leaves, and this process knows of 6: it was set back/, async () => {}],
    [
      'as long and another',
      /first 6 leaves are not those that this process knows/,
      async () => {
        await add(org, 'other', 'leaves')
        await sealElsewhere()
      },
    ],
    [
      'longer and another',
      /first 6 leaves are not those that this process knows/,
      async () => {
        await add(org, 'other', 'leaves', 'and more')
        await sealElsewhere()
      },
    ],
  ]

  it.each(setBacks)('nor is one that was signed, and set back while this process runs: %s', async (_, what, goOn) => {
    const { ctx } = world
    const setBack = await kept()
    await add(org, 'five', 'six')
    expect(await sealNow(ctx, org)).toBe(2)
    const restore = await kept()
    await setBack()
    await goOn()
    await add(org, 'more')
    const complaints = vi.spyOn(ctx.log, 'error')
    for (let round = 0; round < 3; round++) await sealAll(ctx)
    expect(complaints).toHaveBeenCalledOnce()
    expect(complaints.mock.calls[0]?.[0]).toMatchObject({ orgId: org, err: { message: expect.stringMatching(what) } })
    complaints.mockRestore()
    await expect(sealNow(ctx, org)).rejects.toThrow(what)
    // To a process that starts it is a backup. What was there can be put back, and goes on.
    expect(await sealElsewhere()).toBe(1)
    await restore()
    await add(org, 'seven')
    expect(await sealNow(ctx, org)).toBe(1)
  })

  it('is gone on from where other processes have sealed more', async () => {
    for (const count of [1, 2, 300, 3]) {
      await add(org, ...Array.from({ length: count }, (_, at) => `elsewhere ${count}: ${at}`))
      expect(await sealElsewhere()).toBe(count)
      await add(org, `here ${count}`)
      expect(await sealNow(world.ctx, org)).toBe(1)
    }
  })

  it('keeps no other organization’s log from going on, nor its own once it is mended', async () => {
    const { ctx } = world
    const other = await organization()
    await add(other, 'theirs')
    await add(org, 'more')
    const { frontier } = await ctx.db
      .selectFrom('log_heads')
      .select('frontier')
      .where('org_id', '=', org)
      .executeTakeFirstOrThrow()
    await setHead(sql`frontier = ''`)
    await sealAll(ctx)
    expect(await logOf(ctx.db, other)).toHaveLength(1)
    expect(await logOf(ctx.db, org)).toHaveLength(4)
    await setHead(sql`frontier = ${frontier}`)
    expect(await sealNow(ctx, org)).toBe(1)
  })
})

describe('the secret that leaves are marked with', () => {
  it('is the same in processes that start at once', async () => {
    const databaseUrl = await freshDatabase()
    const worlds = await Promise.all([startWorld({ databaseUrl }), startWorld({ databaseUrl })])
    const [one, other] = worlds.map(({ ctx }) => ctx.keys.leafMark.inner.toString('hex'))
    expect(one).toBe(other)
    await Promise.all(worlds.map((world) => world.close()))
  })

  it('is sealed under the master key', async () => {
    await using world = await startWorld({ env: { QUORATE_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') } })
    const kept = await world.ctx.db.selectFrom('server_secrets').selectAll().where('name', '=', 'leaf-mark').execute()
    expect(kept).toMatchObject([{ is_sealed: true }])
    const secret = Buffer.from(world.ctx.keys.leafMark.inner.subarray(0, 32).map((byte) => byte ^ 0x36))
    expect(Buffer.from(kept[0]?.value ?? []).includes(secret)).toBe(false)
  })
})

it('has sixteen random bytes in every leaf, so that a hash tells nothing', () => {
  const keys = { leafMark: macKey(Buffer.alloc(32)) }
  const id = '00000000-0000-7000-8000-000000000001'
  const leaf = { orgId: id, kind: 'user.enabled', subjectId: id, actor: { kind: 'system' }, facts: {} } as const
  const nonces = Array.from({ length: 3 }, () => {
    const { nonce } = JSON.parse(renderLeaf({ keys }, { ...leaf, at: new Date(0) }).content)
    expect(Buffer.from(nonce, 'base64url').toString('base64url')).toBe(nonce)
    expect(Buffer.from(nonce, 'base64url')).toHaveLength(16)
    return nonce
  })
  expect(new Set(nonces).size).toBe(3)
})
