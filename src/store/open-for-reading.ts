import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, PGliteDialect, sql } from 'kysely'
import type { StoreConfig } from '../config/config.ts'
import { AppError } from '../errors.ts'
import { migrations } from './migrations/list.ts'
import type { Db, Tx } from './open.ts'
import { openPglite } from './pglite.ts'
import { openPostgres } from './postgres.ts'
import type { Database } from './schema.ts'

export interface ReadStore {
  /** Runs `work` on one snapshot of everything, which it cannot change. */
  snapshot<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/**
 * Opens a store that a server has made, to read it. Nothing is migrated and nothing is written.
 * @throws AppError STORE_LOCKED when a server has the embedded directory, CONFIGURATION_INVALID when there is no store, or it is
 * another release's
 */
export async function openForReading(config: StoreConfig): Promise<ReadStore> {
  const { db, release } = config.engine === 'pglite' ? await embedded(config.directory) : onServer(config.url)
  const close = async () => {
    await db.destroy()
    release()
  }
  try {
    await requireSchema(db)
  } catch (cause) {
    await close()
    throw cause
  }
  return { snapshot: (work) => snapshotOf(db, work), close }
}

/** As `openForReading`, of a database that is open. */
export async function snapshotOf<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return await db.transaction().execute(async (tx) => {
    await sql`set transaction isolation level repeatable read, read only`.execute(tx)
    return await work(tx)
  })
}

/** What is not there would be made. @throws AppError CONFIGURATION_INVALID when the data directory holds no store */
export function requireStore(directory: string): void {
  if (existsSync(join(directory, 'pg'))) return
  throw new AppError('CONFIGURATION_INVALID', `There is no store in the data directory ${directory}.`, {
    field: 'QUORATE_DATA_DIR',
  })
}

async function embedded(directory: string): Promise<{ db: Db; release: () => void }> {
  requireStore(directory)
  const { pglite, release } = await openPglite(directory)
  return { db: new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) }), release }
}

function onServer(url: string): { db: Db; release: () => void } {
  return { db: new Kysely<Database>({ dialect: openPostgres(url, 1).dialect }), release: () => {} }
}

async function requireSchema(db: Db): Promise<void> {
  const { rows } = await sql<{ name: string | null }>`
    select to_regclass('kysely_migration')::text as name`.execute(db)
  const applied =
    rows[0]?.name === null ? [] : (await sql<{ name: string }>`select name from kysely_migration`.execute(db)).rows
  const names = new Set(applied.map(({ name }) => name))
  const known = Object.keys(migrations)
  if (known.length === names.size && known.every((name) => names.has(name))) return
  throw new AppError(
    'CONFIGURATION_INVALID',
    names.size === 0
      ? 'There is no Quorate store in this database.'
      : 'The store is of another release: start the server of this release on it first, or use the monitor of its own.',
  )
}
