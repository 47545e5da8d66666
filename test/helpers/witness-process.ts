import { parseVerifierKey, type VerifierKey } from '../../src/proof/note.ts'
import { freePort } from './free-port.ts'
import { runMain } from './server-process.ts'

/** `quorate witness` in a process of its own. */
export interface WitnessProcess {
  readonly url: string
  readonly key: VerifierKey
  /** As `GET /` shows it. */
  readonly keyText: string
  submit(body: string | Buffer): Promise<WitnessAnswer>
  /** `kill -9`. */
  kill(): Promise<void>
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>
}

export interface WitnessAnswer {
  readonly status: number
  readonly type: string
  readonly text: string
}

export interface WitnessOptions {
  readonly directory: string
  readonly name?: string
  /** Verifier keys. */
  readonly logs: readonly string[]
  readonly port?: number
}

/** Starts a witness and waits until it answers. @throws Error with what it printed when it exits instead */
export async function startWitness({ directory, name, logs, port }: WitnessOptions): Promise<WitnessProcess> {
  const listening = port ?? (await freePort())
  const child = runMain(
    witnessEnv({ directory, logs, port: listening, ...(name !== undefined && { name }) }),
    'witness',
  )
  const url = `http://127.0.0.1:${listening}`
  const keyText = await firstAnswer(url, () => child.process.exitCode ?? child.process.signalCode, child.printed)
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (child.process.exitCode === null && child.process.signalCode === null) child.process.kill(signal)
    return await child.exited
  }
  return {
    url,
    keyText,
    key: parseVerifierKey(keyText),
    submit: (body) => submitTo(url, body),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  }
}

export function witnessEnv({ directory, name = 'witness.example/w1', logs, port = 0 }: WitnessOptions) {
  return {
    QUORATE_WITNESS_DIR: directory,
    QUORATE_WITNESS_NAME: name,
    QUORATE_WITNESS_LOGS: logs.join('\n'),
    PORT: String(port),
  }
}

export async function submitTo(url: string, body: string | Buffer): Promise<WitnessAnswer> {
  const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: new Uint8Array(Buffer.from(body)) })
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() }
}

async function firstAnswer(url: string, ended: () => unknown, printed: () => string): Promise<string> {
  const patience = performance.now() + 30_000
  for (;;) {
    const answer = await fetch(url).catch(() => null)
    if (answer?.ok === true) return (await answer.text()).trim()
    if (ended() !== null) throw new Error(`the witness exited with ${String(ended())}:\n${printed()}`)
    if (performance.now() > patience) throw new Error(`the witness did not answer:\n${printed()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
