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
  // Nothing here outlives the run, so nothing has to reach the disk.
  const server = await startPostgres(['-c', 'fsync=off', '-c', 'full_page_writes=off'])
  const store = await openStore({ engine: 'postgres', url: await server.createDatabase(schemaDatabase) })
  await store.close()
  project.provide('postgresUrl', server.url)
  project.provide('schemaDatabase', schemaDatabase)
  return () => server.stop()
}
