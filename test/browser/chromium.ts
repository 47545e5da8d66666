import { spawn, spawnSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { certificate } from '../helpers/certificate.ts'
import { talkTo, type DevTools } from './devtools.ts'

/** Where it may be, unless `QUORATE_TEST_CHROMIUM` says. */
const names = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

export interface Chromium extends AsyncDisposable {
  /** Its name and version, as it says. */
  readonly version: string
  readonly tools: DevTools
}

/**
 * A browser without windows and with a profile of its own. It believes the certificate of the tests, and finds every host below
 * `example` on this machine.
 * @throws Error when there is none and none can be installed
 */
export async function startChromium(): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), 'quorate-browser-'))
  const believed = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  const browser = spawn(
    findChromium(),
    [
      '--headless',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      '--no-first-run',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      `--ignore-certificate-errors-spki-list=${createHash('sha256').update(believed).digest('base64')}`,
      '--host-resolver-rules=MAP *.example 127.0.0.1',
      // It does not sandbox what root runs, and refuses to start without being told.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] },
  )
  let printed = ''
  browser.stderr?.on('data', (chunk: Buffer) => (printed = (printed + String(chunk)).slice(-4_000)))
  const exited = new Promise<void>((resolve) => browser.once('exit', () => resolve()))
  const end = async () => {
    if (browser.exitCode === null && browser.signalCode === null) browser.kill('SIGKILL')
    await exited
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  const tools = talkTo(browser.stdio[3] as Writable, browser.stdio[4] as Readable)
  try {
    const { product } = await tools.send<{ product: string }>('Browser.getVersion')
    return { version: product, tools, [Symbol.asyncDispose]: end }
  } catch (cause) {
    await end()
    throw new Error(`Chromium did not start:\n${printed}`, { cause })
  }
}

function findChromium(): string {
  const { QUORATE_TEST_CHROMIUM: named } = process.env
  if (named !== undefined) {
    if (isThere(named)) return named
    throw new Error(`QUORATE_TEST_CHROMIUM names ${named}, which does not start.`)
  }
  const found = names.find(isThere) ?? installed()
  if (found === undefined) {
    throw new Error('This needs Chromium: apt-get install chromium, or QUORATE_TEST_CHROMIUM with the path of one.')
  }
  return found
}

function installed(): string | undefined {
  if (process.getuid?.() !== 0) return undefined
  process.stdout.write('There is no Chromium: apt-get install chromium …\n')
  spawnSync('apt-get', ['update', '-qq'])
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'])
  return names.find(isThere)
}

function isThere(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0
}
