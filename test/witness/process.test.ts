import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { freePort } from '../helpers/free-port.ts'
import { runMain } from '../helpers/server-process.ts'
import { leavesOf, smallLog } from '../helpers/small-log.ts'
import { startWitness, witnessEnv } from '../helpers/witness-process.ts'

let directory: string
const log = smallLog('log.example/one', leavesOf(9))
const logs = [log.verifierKey]

beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'quorate-witness-'))))
afterEach(() => rmSync(directory, { recursive: true }))

async function runWitness(env: Partial<Record<string, string>>, ...args: readonly string[]) {
  const set = Object.entries({ ...witnessEnv({ directory, logs }), ...env })
  const given = Object.fromEntries(set.filter((entry): entry is [string, string] => entry[1] !== undefined))
  const child = runMain(given, 'witness', ...args)
  return { code: await child.exited, printed: child.printed() }
}

it('shows on the command line the key that it cosigns with, made when it is first asked for', async () => {
  const { code, printed } = await runWitness({ QUORATE_WITNESS_LOGS: undefined }, 'key')
  expect(code).toBe(0)
  const witness = await startWitness({ directory, logs })
  expect(`${witness.keyText}\n`).toBe(printed)
  expect(await witness.stop()).toBe(0)
})

it('is stopped in peace, and knows afterwards what it has cosigned', async () => {
  const first = await startWitness({ directory, logs })
  expect((await first.submit(await log.submission(0, 5))).status).toBe(200)
  expect(await first.stop()).toBe(0)
  const second = await startWitness({ directory, logs })
  expect((await second.submit(await log.submission(0))).text).toBe('5\n')
  await second.kill()
})

it.each([
  [{ QUORATE_WITNESS_NAME: undefined }, 'QUORATE_WITNESS_NAME is needed'],
  [{ QUORATE_WITNESS_NAME: 'two words' }, 'QUORATE_WITNESS_NAME must be'],
  [{ QUORATE_WITNESS_LOGS: undefined }, 'QUORATE_WITNESS_LOGS is needed'],
  [{ QUORATE_WITNESS_LOGS: `${log.verifierKey} nonsense` }, 'QUORATE_WITNESS_LOGS must name each log'],
  [{ QUORATE_WITNESS_LOGS: log.verifierKey.toUpperCase() }, 'QUORATE_WITNESS_LOGS must name each log'],
  [{ PORT: 'http' }, 'PORT must be'],
  [{ QUORATE_WITNESS_DIR: '/dev/null' }, 'QUORATE_WITNESS_DIR /dev/null cannot be used'],
])('does not start with %o, and says why in one line', async (env, complaint) => {
  const { code, printed } = await runWitness(env)
  expect(code).toBe(1)
  expect(printed).toMatch(/^quorate: [^\n]+\n$/)
  expect(printed).toContain(complaint)
})

it('says so when its port is taken, and when there is no such command', async () => {
  const port = await freePort()
  const other = createServer()
  await once(other.listen(port, '127.0.0.1'), 'listening')
  const { code, printed } = await runWitness({ PORT: String(port) })
  other.close()
  expect(code).toBe(1)
  expect(printed).toMatch(/^quorate: Cannot listen on [^\n]+EADDRINUSE[^\n]+\n$/)
  for (const words of [['keys'], ['key', 'keys'], ['--keys']]) {
    const printed = `quorate: "quorate witness" does not know "${words.at(-1)}": "quorate witness --help" tells what it takes.\n`
    expect(await runWitness({}, ...words)).toEqual({ code: 1, printed })
  }
})
