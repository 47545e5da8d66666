import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
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
  }
}

const schemaDatabase = 'quorate_schema'

/** One PostgreSQL for the whole run. Without one the run fails: nothing about concurrency is proven on PGlite. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Our programs are started some hundred times, and this halves what each start costs.
  const compiled = mkdtempSync(join(tmpdir(), 'quorate-compiled-'))
  process.env['NODE_COMPILE_CACHE'] ??= compiled
  // A database of its own for each file is written out a hundred times; no test takes the power from this server.
  const server = await startPostgres(['-c', 'fsync=off', '-c', 'full_page_writes=off'])
  const store = await openStore({ engine: 'postgres', url: await server.createDatabase(schemaDatabase) })
  await store.close()
  project.provide('postgresUrl', server.url)
  project.provide('schemaDatabase', schemaDatabase)
  return async () => {
    await server.stop()
    rmSync(compiled, { recursive: true, force: true })
  }
}
