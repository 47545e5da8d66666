import { Kysely, PGliteDialect, sql, type Transaction } from 'kysely'
import { Migrator } from 'kysely/migration'
import type { StoreConfig } from '../config/config.ts'
import { defaultLeases, openJobQueue, type JobQueue, type Leases } from './job-queue.ts'
import { migrations } from './migrations/list.ts'
import { openPglite } from './pglite.ts'
import { openPostgres } from './postgres.ts'
import type { Database } from './schema.ts'
import { createSealingMemory, type SealingMemory } from './sealing-memory.ts'
import { createVotingMemory, type VotingMemory } from './voting-memory.ts'

/** A handle that runs queries: the database, or a transaction on it. */
export type Db = Kysely<Database>
export type Tx = Transaction<Database>

export interface Store {
  readonly engine: StoreConfig['engine']
  readonly db: Db
  readonly votingMemory: VotingMemory
  readonly sealingMemory: SealingMemory
  readonly jobs: JobQueue
  close(): Promise<void>
}

/** 2 cores of a database answer no faster to more than this, and a transaction never waits for the pool while holding a lock. */
const maxConnections = 20

/**
 * Opens the store and brings its schema up to date.
 * @param leases of the jobs that are enqueued with it
 * @throws AppError STORE_LOCKED when the embedded directory is in use
 */
export async function openStore(config: StoreConfig, leases: Leases = defaultLeases): Promise<Store> {
  const engine = config.engine === 'pglite' ? await embedded(config.directory) : server(config.url)
  const { db } = engine
  try {
    await migrate(db)
    const jobs = await openJobQueue(db, (script) => engine.runScript(script), leases)
    const close = async () => {
      await jobs.close()
      await engine.close()
    }
    const [votingMemory, sealingMemory] = [createVotingMemory(), createSealingMemory()]
    return { engine: config.engine, db, votingMemory, sealingMemory, jobs, close }
  } catch (cause) {
    await engine.close()
    throw cause
  }
}

interface Engine {
  readonly db: Db
  /** Runs several statements at once, with nothing else between them. */
  readonly runScript: (script: string) => Promise<unknown>
  close(): Promise<void>
}

async function embedded(directory: string): Promise<Engine> {
  const { pglite, release } = await openPglite(directory)
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) })
  return {
    db,
    // Beside the driver, which would take one statement only, but on its connection.
    runScript: (script) => onOneConnection(db, () => pglite.exec(script)),
    async close() {
      await db.destroy()
      release()
    },
  }
}

function server(url: string): Engine {
  const db = new Kysely<Database>({ dialect: openPostgres(url, maxConnections).dialect })
  return {
    db,
    runScript: (script) => onOneConnection(db, (it) => sql.raw(script).execute(it)),
    close: () => db.destroy(),
  }
}

/** Any number, so long as nothing else of ours locks it. */
const scriptLock = 6_110_904

/** A script that fails in a transaction of its own leaves none behind: the connection has others to serve. */
async function onOneConnection(db: Db, run: (connection: Db) => Promise<unknown>): Promise<void> {
  await db.connection().execute(async (connection) => {
    // One process at a time: the next finds what this one made, and its script says so and no more.
    await sql`select pg_advisory_lock(${scriptLock})`.execute(connection)
    try {
      await run(connection)
    } catch (cause) {
      // Fails where the connection is gone, and then nothing is left open.
      await sql`rollback`.execute(connection).catch(() => {})
      throw cause
    } finally {
      await sql`select pg_advisory_unlock(${scriptLock})`.execute(connection).catch(() => {})
    }
  })
}

async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}
