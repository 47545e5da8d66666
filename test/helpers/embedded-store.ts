import { existsSync } from 'node:fs'
import { cp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inject } from 'vitest'
import { openStore } from '../../src/store/open.ts'

/**
 * Puts an embedded store with our schema and no rows into the directory, for a test of what comes after its making: that takes
 * seconds, and a copy of the one that the run has made does not.
 */
export async function putStore(directory: string): Promise<void> {
  const made = join(inject('shared'), 'store')
  if (!existsSync(made)) await makeStore(made)
  await cp(made, directory, { recursive: true })
}

/** Of two test processes that come for it at once, one keeps its own. */
async function makeStore(path: string): Promise<void> {
  const own = `${path}-${process.pid}`
  const store = await openStore({ engine: 'pglite', directory: own })
  await store.close()
  await rename(own, path).catch(() => rm(own, { recursive: true }))
}
