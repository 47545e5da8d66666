import type { Server } from 'node:net'
import { loadConfig } from './config/config.ts'
import { readEnv } from './config/env.ts'
import { createContext } from './context.ts'
import { prepareStore } from './demo/seed.ts'
import { startMessage } from './demo/start-message.ts'
import { AppError } from './errors.ts'
import { startMaintenance } from './maintenance.ts'
import { buildServer } from './server.ts'

/** How long a stop waits for the requests in hand (design §8). */
const drainMilliseconds = 9_000

async function main(): Promise<void> {
  const config = loadConfig(readEnv())
  const ctx = await createContext(config)
  await prepareStore(ctx)
  const app = await buildServer(ctx)
  await app.listen({ host: config.host, port: config.port })
  ctx.publicUrl = config.publicUrl ?? urlOf(config.host, app.server.address())
  process.stdout.write(startMessage(ctx))
  const endMaintenance = startMaintenance(ctx)

  const stop = async (signal: string) => {
    ctx.log.info({ signal }, 'stopping')
    setTimeout(() => process.exit(0), drainMilliseconds).unref()
    await Promise.all([app.close(), endMaintenance()])
    await ctx.close()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal))
}

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
