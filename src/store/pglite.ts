import { existsSync, fsyncSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { AppError } from '../errors.ts'

/**
 * Opens the embedded database in `directory` (`memory://` for none). The directory is locked for this process for as long
 * as the database is open: two processes on one directory silently lose rows.
 * @throws AppError STORE_LOCKED when another process has the directory
 */
export async function openPglite(directory: string): Promise<{ pglite: PGlite; release: () => void }> {
  if (directory.startsWith('memory://')) {
    return { pglite: await PGlite.create({ parsers }), release: () => {} }
  }
  await mkdir(directory, { recursive: true })
  const release = lockDirectory(directory)
  try {
    const path = join(directory, 'pg')
    if (!existsSync(path)) await makeWhole(path)
    return { pglite: await openSynced(path), release }
  } catch (cause) {
    release()
    throw cause
  }
}

async function openSynced(path: string): Promise<PGlite> {
  // wal_sync_method=fsync is what makes PostgreSQL call the file system layer at all; the default calls nothing.
  const startParams = [...PGlite.defaultStartParams, '-c', 'fsync=on', '-c', 'wal_sync_method=fsync']
  return await PGlite.create({ fs: new SyncedNodeFS(path), parsers, startParams })
}

/** Making it takes a second and a thousand files: a process that is killed meanwhile leaves nothing that looks like a store. */
async function makeWhole(path: string): Promise<void> {
  const unfinished = `${path}.new`
  await rm(unfinished, { recursive: true, force: true })
  await (await openSynced(unfinished)).close()
  await rename(unfinished, path)
}

// bigint and numeric as text, as `pg` gives them.
const parsers = { 20: (value: string) => value }

/** PGlite never syncs a file by itself, so an acknowledged vote would survive a crash but not a power cut. */
class SyncedNodeFS extends NodeFS {
  override async init(...args: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...args)
    const preRun = [emscriptenOpts.preRun ?? []].flat()
    preRun.push((module: unknown) => {
      const { NODEFS } = module as { NODEFS: { stream_ops: { fsync?: (stream: { nfd: number }) => number } } }
      NODEFS.stream_ops.fsync = (stream) => {
        fsyncSync(stream.nfd)
        return 0
      }
    })
    return { emscriptenOpts: { ...emscriptenOpts, preRun } }
  }
}

/** An exclusive transaction on a small SQLite file: the operating system frees it when the process dies, however it dies. */
function lockDirectory(directory: string): () => void {
  const lock = new DatabaseSync(join(directory, 'lock.sqlite'))
  try {
    lock.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new AppError(
      'STORE_LOCKED',
      `Another process is using the data directory ${directory}. Stop it first, or set QUORATE_DATA_DIR to another directory. ` +
        'Several processes can share a PostgreSQL server: see DATABASE_URL.',
      { cause },
    )
  }
  return () => lock.close()
}
