#!/usr/bin/env node
import type { Server } from 'node:net'
import { addLogKey, readLogKeys } from './audit/log-key.ts'
import { loadConfig } from './config/config.ts'
import { readEnv } from './config/env.ts'
import { createContext, type Ctx } from './context.ts'
import { prepareStore } from './demo/seed.ts'
import { startMessage } from './demo/start-message.ts'
import { AppError } from './errors.ts'
import { startDeadlines } from './jobs/deadlines.ts'
import { startGrantEnds } from './jobs/grant-ends.ts'
import { takeOver } from './jobs/reclaim.ts'
import { startSealing } from './jobs/sealing.ts'
import { startWitnessing } from './jobs/witnessing.ts'
import { startWorker } from './jobs/worker.ts'
import { startMaintenance } from './maintenance.ts'
import { monitorCommand } from './monitor/command.ts'
import { buildServer, buildWorkerServer } from './server.ts'
import { addDataKey } from './store/data-keys.ts'
import { requireStore } from './store/open-for-reading.ts'
import { listenTls } from './tls-listener.ts'

/** How long a stop waits for the requests and jobs in hand (design §8). */
const drainMilliseconds = 9_000
const jobDrainMilliseconds = 5_000

const usage = `quorate [COMMAND]
  (none)            serves HTTP and does the jobs
  serve             serves HTTP; jobs are left to others
  work              does the jobs; answers /health, /ping and /metrics alone
  monitor           checks the store and the log; see quorate monitor --help
  rotate-data-key   makes a new key for what is sealed in the tables
  rotate-log-key    makes a new key that signs the transparency log
  verify FILE       checks a receipt; "verify --help" tells how
  witness [key]     cosigns the checkpoints of logs; with "key" shows the key that it cosigns with
`

async function main([command, ...rest]: readonly string[]): Promise<void> {
  if (command !== undefined && bare.has(command) && rest.length > 0) {
    if (rest.some((word) => word === '--help' || word === '-h')) return void process.stdout.write(usage)
    throw new AppError(
      'CONFIGURATION_INVALID',
      `"quorate ${command}" takes nothing more: "quorate help" tells what it does.`,
    )
  }
  switch (command) {
    case undefined:
      return await run({ serves: true, works: true })
    case 'serve':
      return await run({ serves: true, works: false })
    case 'work':
      return await run({ serves: false, works: true })
    case 'rotate-data-key':
      return await rotateDataKey()
    case 'monitor':
      process.exitCode = await monitorCommand(() => loadConfig(readEnv()), rest)
      return
    case 'rotate-log-key':
      return await rotateLogKey()
    case 'verify':
      // Loaded when it is wanted; src/cli/quorate.ts does the same without loading the server.
      process.exitCode = await (await import('./verify/command.ts')).runVerify(rest)
      return
    case 'witness':
      // Only here: Node 22 warns of its SQLite as soon as that is loaded.
      return await (await import('./witness/run.ts')).runWitness(rest)
    case 'help':
    case '--help':
    case '-h':
      return void process.stdout.write(usage)
    default:
      throw new AppError('CONFIGURATION_INVALID', `There is no command "${command}": "quorate help" lists them.`)
  }
}

/** Commands that are told everything by the environment. */
const bare = new Set(['serve', 'work', 'rotate-data-key', 'rotate-log-key'])

async function run({ serves, works }: { serves: boolean; works: boolean }): Promise<void> {
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

/** A key of a store that was not there before protects nothing: whoever named the wrong directory is told. */
async function openExisting(): Promise<Ctx> {
  const config = loadConfig(readEnv())
  if (config.store.engine === 'pglite') requireStore(config.store.directory)
  return await createContext(config)
}

async function rotateDataKey(): Promise<void> {
  const ctx = await openExisting()
  const { number, sealsFrom } = await addDataKey(ctx.db, ctx.config.masterKeys, ctx.clock.now())
  process.stdout.write(`Data key ${number} is made. Servers seal with it from ${sealsFrom.toISOString()} on.\n`)
  await ctx.close()
}

async function rotateLogKey(): Promise<void> {
  const ctx = await openExisting()
  const { number, until } = await addLogKey(ctx)
  process.stdout.write(
    `Log key ${number} is made and signs from now on; the one before signs beside it until ${until.toISOString()}.\n` +
      `Whoever verifies the log needs the new key by then: ${ctx.publicUrl}/v1/log/key\n`,
  )
  await ctx.close()
}

function urlOf(host: string, address: ReturnType<Server['address']>): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

main(process.argv.slice(2)).catch((error: unknown) => {
  // What an operator can mend is said in one line; anything else with its stack.
  process.stderr.write(`quorate: ${complaintOf(error) ?? (error as Error).stack}\n`)
  process.exit(1)
})

/** What an operator can do about a failed start; null for a fault of ours. */
function complaintOf(error: unknown): string | null {
  if (error instanceof AppError) return error.message
  const failed = error as NodeJS.ErrnoException & { readonly severity?: string; readonly port?: number }
  const { code, syscall, message, severity } = failed
  const { host, port: plainPort, store, tls } = loadConfig(readEnv())
  if (syscall === 'listen') {
    const port = failed.port ?? plainPort
    const name = port === tls?.port ? 'TLS_PORT' : 'PORT'
    if (code === 'EADDRINUSE') return `Port ${port} of ${host} is in use. Stop what listens there, or set ${name}.`
    if (code === 'EACCES') return `This user may not listen on port ${port}. Set ${name} to 1024 or above.`
    return `Cannot listen on HOST ${host}: ${message}`
  }
  if (code !== undefined && unreachable.has(code)) {
    return `PostgreSQL cannot be reached at DATABASE_URL (${message || code}). Is it running, and is the address right?`
  }
  // A refusal of PostgreSQL's own: the password, the database, a right that is missing.
  if (severity !== undefined) return `The store refuses: ${message} (${code}).`
  if (syscall !== undefined && store.engine === 'pglite') {
    return `The data directory ${store.directory} cannot be used: ${message}`
  }
  return null
}

const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
])
