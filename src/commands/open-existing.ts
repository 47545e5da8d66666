import { loadConfig } from '../config/config.ts'
import { readEnv } from '../config/env.ts'
import { createContext, type Ctx } from '../context.ts'
import { requireStore } from '../store/open-for-reading.ts'

/** Whoever named the wrong directory is told: a store that was not there before has nothing to erase, and its keys protect nothing. */
export async function openExisting(): Promise<Ctx> {
  const config = loadConfig(readEnv())
  if (config.store.engine === 'pglite') requireStore(config.store.directory)
  return await createContext(config)
}
