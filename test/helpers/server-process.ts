import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'

/** `src/main.ts` in a process of its own, reached over real HTTP. */
export interface ServerProcess {
  readonly url: string
  readonly pid: number
  /** Milliseconds from the start to the first answer. */
  readonly startMilliseconds: number
  /** `kill -9`: nothing is flushed, nothing is said. */
  kill(): Promise<void>
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>
  /** The last of its log. */
  printed(): string
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/**
 * Starts the server and waits until it answers.
 * @param env with the `PORT` that it listens on, or a free one
 * @param command of `quorate`; serves and works when left out
 * @throws Error with what it printed when it exits instead
 */
export async function startServer(
  env: Readonly<Record<string, string>>,
  ...command: ('serve' | 'work')[]
): Promise<ServerProcess> {
  const port = env['PORT'] ?? (await freePort())
  const started = performance.now()
  const child = runMain({ PORT: String(port), ...env }, ...command)
  const url = `http://127.0.0.1:${port}`
  while (!(await isUp(url))) {
    if (child.process.exitCode !== null || child.process.signalCode !== null) {
      throw new Error(
        `the server exited with ${child.process.exitCode ?? child.process.signalCode}:\n${child.printed()}`,
      )
    }
    if (performance.now() - started > 60_000) throw new Error(`the server did not answer:\n${child.printed()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (child.process.exitCode === null && child.process.signalCode === null) child.process.kill(signal)
    return await child.exited
  }
  return {
    url,
    pid: child.process.pid as number,
    startMilliseconds: performance.now() - started,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    printed: child.printed,
  }
}

/** Starts `src/main.ts` without waiting for an answer, with a command or without. */
export function runMain(
  env: Readonly<Record<string, string>>,
  ...command: readonly string[]
): {
  process: ChildProcess
  /** The exit code, null after a signal. */
  exited: Promise<number | null>
  printed: () => string
} {
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env
  const inherited = { PATH, NODE_COMPILE_CACHE, NODE_NO_WARNINGS: '1' }
  const child = spawn(process.execPath, [main, ...command], {
    env: { ...inherited, HOST: '127.0.0.1', QUORATE_DEMO: '0', QUORATE_RATE_LIMIT: '0', LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output = (output + String(chunk)).slice(-8_000)))
  }
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { process: child, exited, printed: () => output }
}

async function isUp(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(`${url}/health`)
    return status === 200
  } catch {
    return false
  }
}
