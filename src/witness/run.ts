import type { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { readEnv } from '../config/env.ts'
import { witnessConfig, witnessIdentity } from '../config/witness.ts'
import { AppError } from '../errors.ts'
import { cosigner } from '../proof/cosignature.ts'
import { verifierKeyText } from '../proof/note.ts'
import { witnessServer } from './server.ts'
import { help } from './help.ts'
import { openWitnessState } from './state.ts'

/**
 * `quorate witness`: cosigns over HTTP until it is told to stop. `quorate witness key`: shows the verifier key, which is made
 * where there is none.
 * @throws AppError CONFIGURATION_INVALID
 */
export async function runWitness(words: readonly string[]): Promise<void> {
  if (words.some((word) => word === '--help' || word === '-h')) return void process.stdout.write(help)
  const [command, ...rest] = words
  if (command === undefined) return await serve()
  const stray = command === 'key' ? rest[0] : command
  if (stray === undefined) return showKey()
  const problem = `"quorate witness" does not know "${stray}": "quorate witness --help" tells what it takes.`
  throw new AppError('CONFIGURATION_INVALID', problem)
}

function showKey(): void {
  const identity = witnessIdentity(readEnv())
  using state = openWitnessState(identity)
  process.stdout.write(`${keyText(identity.name, state.privateKey)}\n`)
}

async function serve(): Promise<void> {
  const config = witnessConfig(readEnv())
  const { host, port, name, logs } = config
  const state = openWitnessState(config)
  const witness = { signer: cosigner(name, state.privateKey), logs, state }
  const server = witnessServer(witness, (message) => void process.stderr.write(`${message}\n`))
  server.listen(port, host)
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    throw new AppError('CONFIGURATION_INVALID', `Cannot listen on HOST ${host}, PORT ${port}: ${cause.message}.`, {
      cause,
    })
  })
  const stop = () => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
    setTimeout(() => process.exit(0), drainMilliseconds).unref()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  const { port: listening } = server.address() as AddressInfo
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${listening}`
  const said = [
    `Quorate witness of ${logs.size} ${logs.size === 1 ? 'log' : 'logs'} at ${url}`,
    keyText(name, state.privateKey),
  ]
  process.stdout.write(`${said.join('\n')}\n`)
}

/** How long a stop waits for what is in hand. */
const drainMilliseconds = 5_000

function keyText(name: string, privateKey: KeyObject): string {
  const { key } = cosigner(name, privateKey)
  return verifierKeyText(key.name, key.type, key.publicKey)
}
