import { Kysely, PGliteDialect, type Transaction } from 'kysely'
import { Migrator } from 'kysely/migration'
import type { StoreConfig } from '../config/config.ts'
import { migrations } from './migrations/list.ts'
import { openPglite } from './pglite.ts'
import { openPostgres } from './postgres.ts'
import type { Database } from './schema.ts'
import { createVotingMemory, type VotingMemory } from './voting-memory.ts'

/** A handle that runs queries: the database, or a transaction on it. */
export type Db = Kysely<Database>
export type Tx = Transaction<Database>

export interface Store {
  readonly engine: StoreConfig['engine']
  readonly db: Db
  readonly votingMemory: VotingMemory
  close(): Promise<void>
}

/** 2 cores of a database answer no faster to more than this, and a transaction never waits for the pool while holding a lock. */
const maxConnections = 20

/**
 * Opens the store and brings its schema up to date.
 * @throws AppError STORE_LOCKED when the embedded directory is in use
 */
export async function openStore(config: StoreConfig): Promise<Store> {
  const store = config.engine === 'pglite' ? await embedded(config.directory) : server(config.url)
  try {
    await migrate(store.db)
  } catch (cause) {
    await store.close()
    throw cause
  }
  return store
}

async function embedded(directory: string): Promise<Store> {
  const { pglite, release } = await openPglite(directory)
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) })
  const close = async () => {
    await db.destroy()
    release()
  }
  return { engine: 'pglite', db, votingMemory: createVotingMemory(), close }
}

function server(url: string): Store {
  const db = new Kysely<Database>({ dialect: openPostgres(url, maxConnections).dialect })
  return { engine: 'postgres', db, votingMemory: createVotingMemory(), close: () => db.destroy() }
}

async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}
