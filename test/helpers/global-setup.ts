import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A real PostgreSQL server for this run; make a database in it with `freshDatabase`. */
    postgresUrl: string
  }
}

/** One PostgreSQL for the whole run. Without one the run fails: nothing about concurrency is proven on PGlite. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres()
  project.provide('postgresUrl', server.url)
  return () => server.stop()
}
