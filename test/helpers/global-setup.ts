import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openStore } from '../../src/store/open.ts'
import { startPostgres } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A real PostgreSQL server for this run; make a database in it with `freshDatabase`. */
    postgresUrl: string
    /** The name of the database there that has our schema and no rows: copying it is quicker than migrating anew. */
    schemaDatabase: string
    /** A directory for what is made once a run. */
    shared: string
  }
}

const schemaDatabase = 'quorate_schema'

/** One PostgreSQL for the whole run. Without one the run fails: nothing about concurrency is proven on PGlite. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = mkdtempSync(join(tmpdir(), 'quorate-run-'))
  // Our programs are started some hundred times, and this halves what each start costs.
  process.env['NODE_COMPILE_CACHE'] ??= join(shared, 'compiled')
  const server = await startPostgres(quickestPlace())
  const store = await openStore({ engine: 'postgres', url: await server.createDatabase(schemaDatabase) })
  await store.close()
  project.provide('postgresUrl', server.url)
  project.provide('schemaDatabase', schemaDatabase)
  project.provide('shared', shared)
  return async () => {
    await server.stop()
    rmSync(shared, { recursive: true, force: true })
  }
}

/** The run makes hundreds of databases, and in memory each takes a tenth of the time, where there is enough of it. */
function quickestPlace(): string {
  const memory = '/dev/shm'
  const needed = 10 * 2 ** 30
  try {
    accessSync(memory, constants.W_OK)
    const { bavail, bsize } = statfsSync(memory)
    return Math.min(bavail * bsize, freemem()) > needed ? memory : tmpdir()
  } catch {
    return tmpdir()
  }
}
