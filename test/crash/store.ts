import { loadConfig } from '../../src/config/config.ts'
import { createContext, type Ctx } from '../../src/context.ts'
import { runMain } from '../helpers/server-process.ts'

/** Where the store of a campaign is: `QUORATE_DATA_DIR` or `DATABASE_URL`. */
export type StoreEnv = Readonly<Record<string, string>>

/** Opens the store while no server has it. */
export async function withStore<T>(store: StoreEnv, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  const ctx = await createContext(loadConfig({ ...store, QUORATE_DEMO: '0', LOG_LEVEL: 'silent' }))
  try {
    return await work(ctx)
  } finally {
    await ctx.close()
  }
}

/** A server that is killed before it answers: in the middle of recovering from the last kill. */
export async function killWhileStarting(store: StoreEnv, after: number): Promise<void> {
  const child = runMain({ PORT: '0', ...store })
  await new Promise((resolve) => setTimeout(resolve, after))
  child.process.kill('SIGKILL')
  await child.exited
}

export function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0)
}
