import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deliveryConfig } from '../../src/config/delivery.ts'
import { performAttempt } from '../../src/deliveries/perform.ts'
import { taskOf } from '../helpers/deliveries.ts'
import { freePort } from '../helpers/free-port.ts'
import { leadingTo } from '../helpers/http-sink.ts'

const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'webhooks.md'), 'utf8')
const hasPython = spawnSync('python3', ['--version']).status === 0

const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const config = deliveryConfig({})

interface Receiver extends AsyncDisposable {
  /** What it answers to an attempt that is made so many seconds ago, signed with these keys. */
  answerTo(signingKeys: readonly Buffer[], task?: { id?: string; secondsAgo?: number }): Promise<number | undefined>
  /** What it acted on. */
  acted(): string[]
}

/** The receiver that the page shows in this language, as a process of its own. */
async function startReceiver(language: string, command: string): Promise<Receiver> {
  const source = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)?.[1] ?? ''
  const directory = await mkdtemp(join(tmpdir(), 'quorate-receiver-'))
  const file = join(directory, 'receiver.mjs')
  await writeFile(file, source)
  const port = await freePort()
  const env = { ...process.env, PORT: String(port), WEBHOOK_SECRET: `whsec_${key.toString('base64')}` }
  const child = spawn(command, [file], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await listening(port)
  const network = leadingTo(port)
  return {
    acted: () => printed.split('\n').slice(0, -1),
    async answerTo(signingKeys, { id, secondsAgo = 0 } = {}) {
      const task = taskOf({ type: 'WEBHOOK', url: 'http://hooks.example/', method: 'POST' }, { requestName: 'straße' })
      const now = () => new Date(Date.now() - secondsAgo * 1000)
      const outcome = await performAttempt({ network, config, signingKeys, now }, { ...task, id: id ?? task.id })
      return outcome.response?.status
    },
    async [Symbol.asyncDispose]() {
      child.kill()
      await once(child, 'exit')
      await rm(directory, { recursive: true })
    },
  }
}

async function listening(port: number): Promise<void> {
  const isOpen = await new Promise<boolean>((resolve) => {
    const probe = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    probe.on('close', () => probe.destroy())
    probe.on('connect', () => probe.end())
  })
  if (!isOpen) await new Promise((resolve) => setTimeout(resolve, 20)).then(() => listening(port))
}

describe.each([
  ['js', process.execPath, true],
  ['python', 'python3', hasPython],
])('the receiver that the page shows in %s', (language, command, isThere) => {
  it.skipIf(!isThere)('acts once on what is signed, with any of the valid keys, and on nothing else', async () => {
    await using receiver = await startReceiver(language, command)
    expect(await receiver.answerTo([key])).toBe(204)
    expect(await receiver.answerTo([key])).toBe(204)
    expect(await receiver.answerTo([other, key])).toBe(204)
    expect(await receiver.answerTo([other], { id: 'another' })).toBe(401)
    expect(await receiver.answerTo([], { id: 'another' })).toBe(401)
    expect(await receiver.answerTo([key], { id: 'another', secondsAgo: 400 })).toBe(401)
    expect(await receiver.answerTo([key, other], { id: 'another' })).toBe(204)
    await expect.poll(() => receiver.acted()).toEqual(['straße', 'straße'])
  })
})
