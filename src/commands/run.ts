import type { Server } from 'node:net'
import { readLogKeys } from '../audit/log-key.ts'
import { loadConfig } from '../config/config.ts'
import { readEnv } from '../config/env.ts'
import { createContext } from '../context.ts'
import { prepareStore } from '../demo/seed.ts'
import { startMessage } from '../demo/start-message.ts'
import { AppError } from '../errors.ts'
import { startDeadlines } from '../jobs/deadlines.ts'
import { startGrantEnds } from '../jobs/grant-ends.ts'
import { takeOver } from '../jobs/reclaim.ts'
import { startSealing } from '../jobs/sealing.ts'
import { startWitnessing } from '../jobs/witnessing.ts'
import { startWorker } from '../jobs/worker.ts'
import { startMaintenance } from '../maintenance.ts'
import { buildServer, buildWorkerServer } from '../server.ts'
import { listenTls } from '../tls-listener.ts'

/** How long a stop waits for the requests and jobs in hand (design §8). */
const drainMilliseconds = 9_000
const jobDrainMilliseconds = 5_000

/**
 * Serves HTTP, does the jobs, or both, until SIGTERM or SIGINT.
 * @throws AppError CONFIGURATION_INVALID, STORE_LOCKED; what the system says of the address or the store
 */
export async function run({ serves, works }: { serves: boolean; works: boolean }): Promise<void> {
  const config = loadConfig(readEnv())
  if (config.store.engine === 'pglite' && !(serves && works)) {
    throw new AppError(
      'CONFIGURATION_INVALID',
      'The embedded store is for one process, which serves and does the jobs: start it without a command, or set DATABASE_URL.',
      { field: 'DATABASE_URL' },
    )
  }
  const ctx = await createContext(config)
  await prepareStore(ctx)
  await readLogKeys(ctx)
  const app = serves ? await buildServer(ctx) : await buildWorkerServer(ctx)
  await app.listen({ host: config.host, port: config.port })
  ctx.publicUrl = config.publicUrl ?? urlOf(config.host, app.server.address())
  const tls = config.tls === null ? null : await listenTls(app, ctx, config.tls)
  if (tls !== null) process.on('SIGHUP', () => tls.reload())
  if (works) await takeOver(ctx)
  const worker = works ? startWorker(ctx) : null
  const endDeadlines = works ? startDeadlines(ctx) : null
  const endGrantEnds = works ? startGrantEnds(ctx) : null
  const endSealing = works ? startSealing(ctx) : null
  const endWitnessing = works ? startWitnessing(ctx) : null
  const endMaintenance = startMaintenance(ctx)

  const stop = async (signal: string) => {
    ctx.log.info({ signal }, 'stopping')
    setTimeout(() => process.exit(0), drainMilliseconds).unref()
    await Promise.all([
      app.close(),
      tls?.close(),
      worker?.stop(jobDrainMilliseconds),
      endDeadlines?.(),
      endGrantEnds?.(),
      endSealing?.(),
      endWitnessing?.(),
      endMaintenance(),
    ])
    await ctx.close()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal))
  // Whoever reads that it is ready may stop it the next moment.
  process.stdout.write(
    serves ? startMessage(ctx, tls?.port ?? null) : `Quorate does its jobs; see ${ctx.publicUrl}/metrics\n`,
  )
}

function urlOf(host: string, address: ReturnType<Server['address']>): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
