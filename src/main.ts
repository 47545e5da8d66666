#!/usr/bin/env node
import { loadConfig } from './config/config.ts'
import { readEnv } from './config/env.ts'
import { AppError } from './errors.ts'
import { helpOf, usage } from './usage.ts'

// Each command loads what it needs alone: the server takes a second of it.
async function main([command, ...rest]: readonly string[]): Promise<void> {
  const help = helpOf(command, rest)
  if (help !== null) return void process.stdout.write(help)
  switch (command) {
    case undefined:
      return await (await import('./commands/run.ts')).run({ serves: true, works: true })
    case 'serve':
      return await (await import('./commands/run.ts')).run({ serves: true, works: false })
    case 'work':
      return await (await import('./commands/run.ts')).run({ serves: false, works: true })
    case 'rotate-data-key':
      return await (await import('./commands/rotate-keys.ts')).rotateDataKey()
    case 'rotate-log-key':
      return await (await import('./commands/rotate-keys.ts')).rotateLogKey()
    case 'monitor':
      process.exitCode = await (await import('./monitor/command.ts')).monitorCommand(configuration, rest)
      return
    case 'erase': {
      const { openExisting } = await import('./commands/open-existing.ts')
      process.exitCode = await (await import('./audit/erase-command.ts')).eraseCommand(openExisting, rest)
      return
    }
    case 'verify':
      process.exitCode = await (await import('./verify/command.ts')).runVerify(rest)
      return
    case 'witness':
      return await (await import('./witness/run.ts')).runWitness(rest)
    case 'help':
    case '--help':
    case '-h':
      return void process.stdout.write(usage)
    default:
      throw new AppError('CONFIGURATION_INVALID', `There is no command "${command}": "quorate help" lists them.`)
  }
}

const configuration = () => loadConfig(readEnv())

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
