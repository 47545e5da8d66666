import type { Server } from 'node:net'
import { loadConfig } from './config/config.ts'
import { readEnv } from './config/env.ts'
import { createContext } from './context.ts'
import { prepareStore } from './demo/seed.ts'
import { startMessage } from './demo/start-message.ts'
import { AppError } from './errors.ts'
import { buildServer } from './server.ts'

/** How long a stop waits for the requests in hand (design §8). */
const drainMilliseconds = 9_000

async function main(): Promise<void> {
  const config = loadConfig(readEnv())
  const ctx = await orSayWhere(config.store.engine === 'pglite' ? 'QUORATE_DATA_DIR' : 'DATABASE_URL', () =>
    createContext(config),
  )
  await prepareStore(ctx)
  const app = await buildServer(ctx)
  await orSayWhere('HOST and PORT', () => app.listen({ host: config.host, port: config.port }))
  ctx.publicUrl = config.publicUrl ?? urlOf(config.host, app.server.address())
  process.stdout.write(startMessage(ctx))

  const stop = async (signal: string) => {
    ctx.log.info({ signal }, 'stopping')
    setTimeout(() => process.exit(0), drainMilliseconds).unref()
    await app.close()
    await ctx.close()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal))
}

/** What the operating system or PostgreSQL refuses does not say which variable of ours led there. */
async function orSayWhere<T>(variables: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: string }
    if (typeof code !== 'string' || !mendable.test(code)) throw error
    throw new AppError('CONFIGURATION_INVALID', `${message || code} (see ${variables}).`, { cause: error })
  }
}

// Errors of the operating system, and the SQLSTATE classes of connections, passwords, databases, resources and shutdowns.
const mendable = /^(?:E[A-Z]+|(?:08|28|3D|53|57)...)$/

function urlOf(host: string, address: ReturnType<Server['address']>): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

main().catch((error: unknown) => {
  // What an operator can mend is said in one line; anything else with its stack.
  process.stderr.write(
    error instanceof AppError ? `quorate: ${error.message}\n` : `quorate: ${(error as Error).stack}\n`,
  )
  process.exit(1)
})
