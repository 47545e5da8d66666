import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ringOf } from '../src/config/secrets.ts'
import { migrations } from '../src/store/migrations/list.ts'
import { openStore, type Store } from '../src/store/open.ts'
import { transact } from '../src/store/unit-of-work.ts'
import { putStore } from './helpers/embedded-store.ts'
import { runMain, startServer, type ServerProcess } from './helpers/server-process.ts'

const synced = vi.hoisted(() => ({ calls: 0 }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  return {
    ...fs,
    fsyncSync: (file: number) => {
      synced.calls += 1
      fs.fsyncSync(file)
    },
  }
})

describe('the embedded store in a directory', { timeout: 300_000 }, () => {
  let directory: string
  beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'quorate-store-'))))
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const open = (): Promise<Store> => openStore({ engine: 'pglite', directory })
  const ground = ({ db }: Store) => ({
    db,
    keys: { atRest: ringOf(Buffer.alloc(32)) },
    clock: { now: () => new Date() },
  })
  const organizations = async ({ db }: Store) =>
    (await db.selectFrom('organizations').select('name').orderBy('name').execute()).map(({ name }) => name)
  const insert = (store: Store, name: string) =>
    transact(ground(store), null, async (tx) => {
      await sql`insert into organizations values (gen_random_uuid(), ${name}, now())`.execute(tx)
    })

  it('syncs its files before a commit is answered, and not for a question', async () => {
    await putStore(directory)
    const store = await open()
    const { rows } =
      await sql<object>`select current_setting('fsync') as fsync, current_setting('wal_sync_method') as method,
      current_setting('synchronous_commit') as commit, current_setting('full_page_writes') as pages`.execute(store.db)
    expect(rows).toEqual([{ fsync: 'on', method: 'fsync', commit: 'on', pages: 'on' }])
    await insert(store, 'warm')
    for (const name of ['one', 'two', 'three']) {
      const before = synced.calls
      await insert(store, name)
      expect(synced.calls).toBeGreaterThan(before)
    }
    const before = synced.calls
    expect(await organizations(store)).toEqual(['one', 'three', 'two', 'warm'])
    expect(synced.calls).toBe(before)
    await store.close()
  })

  it('keeps what it held when it is closed and opened again, migrated once', async () => {
    const first = await open()
    await insert(first, 'kept')
    await first.close()
    const second = await open()
    expect(await organizations(second)).toEqual(['kept'])
    const { rows } = await sql`select * from kysely_migration`.execute(second.db)
    expect(rows).toHaveLength(Object.keys(migrations).length)
    await second.close()
  })

  it('is one opener’s, in the same process too, until it is closed', async () => {
    await putStore(directory)
    const store = await open()
    await expect(open()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await insert(store, 'still mine')
    await store.close()
    const next = await open()
    expect(await organizations(next)).toEqual(['still mine'])
    await next.close()
  })

  it('refuses a second server in one line that says what to do, and is free once the first is killed', async () => {
    await putStore(directory)
    const env = { QUORATE_DATA_DIR: directory }
    const first = await startServer(env)
    let third: ServerProcess | undefined
    try {
      const second = runMain({ PORT: '0', ...env })
      expect(await second.exited).toBe(1)
      expect(second.printed()).toMatch(/^quorate: Another process is using the data directory [^\n]*DATABASE_URL\.\n$/)
      expect(second.printed()).toContain(directory)
      expect((await fetch(`${first.url}/health`)).status).toBe(200)
      await first.kill()
      third = await startServer(env)
      expect(await third.stop()).toBe(0)
    } finally {
      await first.kill()
      await third?.kill()
    }
  })

  it('can be opened after a kill in the middle of making it', async () => {
    // Some of about a thousand files are there: first none that says which version it is, then that one too.
    for (const files of [200, 950]) {
      const env = { QUORATE_DATA_DIR: join(directory, `from-${files}`) }
      const killed = runMain({ PORT: '0', ...env })
      await expect
        .poll(() => countFiles(env.QUORATE_DATA_DIR), { timeout: 60_000, interval: 15 })
        .toBeGreaterThan(files)
      killed.process.kill('SIGKILL')
      await killed.exited
      const server = await startServer(env)
      await server.kill()
    }
  })
})

async function countFiles(directory: string): Promise<number> {
  return (await readdir(directory, { recursive: true }).catch(() => [])).length
}
