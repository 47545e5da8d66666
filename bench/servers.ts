import { spawn } from 'node:child_process'
import { freePort } from '../test/helpers/free-port.ts'

export interface Server {
  readonly origin: string
  readonly pid: number
  stop(): Promise<void>
  /** `kill -9`. */
  kill(): Promise<void>
}

/** Starts `script` as a process of its own on a free port, ready when `readyPath` answers. */
export async function startServer(
  script: string,
  readyPath: string,
  env: Record<string, string>,
  args: readonly string[] = [],
): Promise<Server> {
  const port = await freePort()
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, ...env, HOST: '127.0.0.1', PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const origin = `http://127.0.0.1:${port}`
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`${script} exited with ${child.exitCode}`)
    const answer = await fetch(origin + readyPath).catch(() => null)
    await answer?.arrayBuffer()
    if (answer !== null) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await exited
  }
  return { origin, pid: child.pid ?? 0, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}
