import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addLogKey, readLogKeys } from '../../src/audit/log-key.ts'
import { batchLimit, sealBatch, sealNow } from '../../src/audit/seal.ts'
import { sealAll } from '../../src/jobs/sealing.ts'
import { rootOf } from '../../src/proof/merkle.ts'
import { findUnsealed } from '../../src/store/log.ts'
import { putStore } from '../helpers/embedded-store.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { addLeaves, checkpointsOf, faultsOfLog, fillLeaves, hashesOf, logOf, publicKeyOf } from '../helpers/log.ts'
import { orgId } from '../helpers/quorum.ts'
import { runMain } from '../helpers/server-process.ts'
import { startWorld, type World } from '../helpers/world.ts'

const headOf = ({ ctx: { db } }: World) =>
  db.selectFrom('log_heads').selectAll().where('org_id', '=', orgId).executeTakeFirstOrThrow()

describe.each(['postgres', 'pglite'] as const)('sealing on %s', (engine) => {
  let world: World
  beforeAll(async () => void (world = await startWorld({ engine })))
  afterAll(() => world.close())

  const contentsFrom = async (index: number) => (await logOf(world.ctx.db)).slice(index).map(({ content }) => content)

  it('gives every leaf its index and signs the head of the tree over them', async () => {
    const { ctx } = world
    await world.person('Ada', { admin: true })
    await sealNow(ctx, orgId)
    const entries = await logOf(ctx.db)
    const leaves = await ctx.db.selectFrom('audit_leaves').select('content').orderBy('id').execute()
    expect(entries.map(({ content }) => content)).toEqual(leaves.map(({ content }) => content))
    expect(await faultsOfLog(ctx)).toEqual([])
    const [checkpoint] = await checkpointsOf(ctx)
    expect(checkpoint).toEqual({
      origin: `quorate.local/log/${orgId}`,
      size: entries.length,
      root: rootOf(hashesOf(entries)),
    })
  })

  it('hashes the bytes of a leaf whatever it is written in', async () => {
    const contents = ['', 'ä', '日本語 🙂', '"\\x00\\n\\\\"', 'x'.repeat(100_000)]
    await addLeaves(world.ctx, contents)
    await sealNow(world.ctx, orgId)
    expect(await contentsFrom(-contents.length)).toEqual(contents)
    expect(await faultsOfLog(world.ctx)).toEqual([])
  })

  it('grows by what is new, and makes no checkpoint of nothing', async () => {
    const before = await checkpointsOf(world.ctx)
    expect(await sealNow(world.ctx, orgId)).toBe(0)
    expect(await checkpointsOf(world.ctx)).toEqual(before)
    for (const [round, count] of [1, 2, 300, 1, 400].entries()) {
      await addLeaves(
        world.ctx,
        Array.from({ length: count }, (_, at) => `${round}: ${at}`),
      )
      expect(await sealNow(world.ctx, orgId)).toBe(count)
    }
    expect(await checkpointsOf(world.ctx)).toHaveLength(before.length + 5)
    expect(await faultsOfLog(world.ctx)).toEqual([])
  })

  it('keeps the hashes of complete subtrees of 256 leaves', async () => {
    const hashes = hashesOf(await logOf(world.ctx.db))
    const nodes = await world.ctx.db.selectFrom('log_nodes').selectAll().orderBy('index').execute()
    expect(hashes.length).toBeGreaterThan(2 * 256)
    expect(nodes.map(({ level, index, hash }) => [level, Number(index), Buffer.from(hash)])).toEqual(
      Array.from({ length: Math.floor(hashes.length / 256) }, (_, index) => [
        1,
        index,
        Buffer.from(rootOf(hashes.slice(index * 256, (index + 1) * 256))),
      ]),
    )
  })

  it('looks no more at an organization whose leaves are settled', async () => {
    await addLeaves(world.ctx, ['the last'])
    expect(await findUnsealed(world.ctx.db)).toEqual([orgId])
    // Others' transactions on the same server may be under way.
    await expect
      .poll(async () => {
        await sealAll(world.ctx)
        return await findUnsealed(world.ctx.db)
      })
      .toEqual([])
    const newest = await world.ctx.db.selectFrom('audit_leaves').select('id').orderBy('id', 'desc').limit(1).execute()
    expect(await headOf(world)).toMatchObject({ settled_leaf_id: newest[0]?.id, mark_leaf_id: null, mark_xid: null })
  })

  it('goes on where a store came from another cluster, whose transactions had larger numbers', async () => {
    const far = '4611686018427387904'
    const behind = { settled_leaf_id: 1, mark_leaf_id: 2, mark_xid: far }
    await world.ctx.db.updateTable('log_heads').set(behind).where('org_id', '=', orgId).execute()
    await addLeaves(world.ctx, ['here'])
    expect(await sealNow(world.ctx, orgId)).toBe(1)
    expect(await contentsFrom(-1)).toEqual(['here'])
    expect((await headOf(world)).mark_xid).not.toBe(far)
    await expect
      .poll(async () => {
        await sealAll(world.ctx)
        return await findUnsealed(world.ctx.db)
      })
      .toEqual([])
    expect(await faultsOfLog(world.ctx)).toEqual([])
  })

  it('takes more than one batch where there is much to seal', async () => {
    const { ctx } = world
    const before = (await logOf(ctx.db)).length
    await fillLeaves(ctx, { content: "'many ' || n", from: 1, to: batchLimit + 10 })
    expect(await sealBatch(ctx, orgId)).toEqual({ sealed: batchLimit, isFull: true })
    expect(await sealAll(ctx)).toBeGreaterThan(0)
    expect(await logOf(ctx.db)).toHaveLength(before + batchLimit + 10)
    expect(await faultsOfLog(ctx)).toEqual([])
  })

  it('refuses to change or remove what was sealed', async () => {
    const { db } = world.ctx
    const at = new Date()
    await db
      .insertInto('log_cosignatures')
      .values({ org_id: orgId, size: (await headOf(world)).size, name: 'w', line: '—', created_at: at })
      .execute()
    for (const table of ['log_entries', 'log_nodes', 'log_checkpoints', 'log_cosignatures']) {
      for (const change of [
        `update ${table} set org_id = org_id`,
        `delete from ${table}`,
        `truncate ${table} cascade`,
      ]) {
        await expect(sql.raw(change).execute(db), change).rejects.toMatchObject({ code: '23000' })
      }
    }
  })
})

describe('the log key', () => {
  it('is made once, and kept', async () => {
    const databaseUrl = await freshDatabase()
    await using world = await startWorld({ databaseUrl })
    await using other = await startWorld({ databaseUrl })
    const made = await Promise.all([readLogKeys(world.ctx), readLogKeys(other.ctx), readLogKeys(world.ctx)])
    expect(new Set(made.map(([key]) => publicKeyOf(key as never))).size).toBe(1)
  })

  it('signs beside the one that comes after it for thirty days, and no longer', async () => {
    await using world = await startWorld()
    const { ctx, clock } = world
    let rounds = 0
    const signatures = async () => {
      await addLeaves(ctx, [`one more: ${++rounds}`])
      await sealNow(ctx, orgId)
      const { note } = await ctx.db
        .selectFrom('log_checkpoints')
        .select('note')
        .orderBy('size', 'desc')
        .limit(1)
        .executeTakeFirstOrThrow()
      return note.split('\n').filter((line) => line.startsWith('—')).length
    }
    expect(await signatures()).toBe(1)
    const until = new Date(clock.now().getTime() + 30 * 86_400_000)
    expect(await addLogKey(ctx)).toEqual({ number: 2, until })
    expect((await readLogKeys(ctx)).map(({ number, until: end }) => [number, end])).toEqual([
      [2, null],
      [1, until],
    ])
    expect(await signatures()).toBe(2)
    clock.set(new Date(until.getTime() - 1))
    expect(await signatures()).toBe(2)
    clock.set(until)
    expect(await signatures()).toBe(1)
    expect(await faultsOfLog(ctx)).toEqual([])
  })

  it('rotate-log-key makes another, says how long both sign, and exits with 0', async () => {
    const databaseUrl = await freshDatabase()
    const env = { DATABASE_URL: databaseUrl, QUORATE_PUBLIC_URL: 'https://approve.example' }
    const command = runMain(env, 'rotate-log-key')
    expect(await command.exited).toBe(0)
    await using world = await startWorld({ databaseUrl })
    const [newest, first] = await readLogKeys(world.ctx)
    expect(newest).toMatchObject({ number: 2, until: null })
    expect(first).toMatchObject({ number: 1 })
    expect(command.printed()).toBe(
      `Log key 2 is made and signs from now on; the one before signs beside it until ${first?.until?.toISOString()}.\n` +
        'Whoever verifies the log needs the new key by then: https://approve.example/v1/log/key\n',
    )
  })

  it('is sealed under the master key', async () => {
    await using world = await startWorld({ env: { QUORATE_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') } })
    await readLogKeys(world.ctx)
    const kept = await world.ctx.db.selectFrom('server_secrets').selectAll().where('name', '=', 'log-key').execute()
    expect(kept).toMatchObject([{ is_sealed: true }])
  })
})

describe('the origin of a log', () => {
  it('names the public address of the first checkpoint, and never changes', async () => {
    const databaseUrl = await freshDatabase()
    const publicUrl = (host: string) => ({ QUORATE_PUBLIC_URL: `https://${host}/base` })
    {
      await using world = await startWorld({ databaseUrl, env: publicUrl('approve.example:8443') })
      await sealNow(world.ctx, orgId)
    }
    await using moved = await startWorld({ databaseUrl, env: publicUrl('elsewhere.example') })
    await addLeaves(moved.ctx, ['after the move'])
    await sealNow(moved.ctx, orgId)
    const origins = (await checkpointsOf(moved.ctx)).map(({ origin }) => origin)
    expect(origins).toEqual(Array(2).fill(`approve.example:8443/log/${orgId}`))
  })
})

it('goes on after a restart, on the embedded store too', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-log-'))
  await putStore(directory)
  const open = () => startWorld({ engine: 'pglite', env: { QUORATE_DATA_DIR: directory } })
  try {
    {
      await using world = await open()
      await addLeaves(
        world.ctx,
        Array.from({ length: 300 }, (_, at) => `before ${at}`),
      )
      await sealNow(world.ctx, orgId)
      await addLeaves(world.ctx, ['not sealed before the end'])
    }
    await using world = await open()
    await addLeaves(world.ctx, ['after'])
    expect(await sealNow(world.ctx, orgId)).toBe(2)
    expect(await faultsOfLog(world.ctx)).toEqual([])
    expect((await logOf(world.ctx.db)).slice(-2).map(({ content }) => content)).toEqual([
      'not sealed before the end',
      'after',
    ])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
