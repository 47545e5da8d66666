import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'

const verifiers = join(import.meta.dirname, '..', '..', 'verifiers', 'python')

/** The program itself. */
export const secondVerifierFile = join(verifiers, 'quorate_verify.py')

/** What the second verifier says of one receipt. */
export interface SecondVerdict {
  readonly ok: boolean
  readonly failures: readonly { readonly code: string; readonly detail: string }[]
}

/** A process of `verifiers/python/batch.py`. */
export interface SecondVerifier extends AsyncDisposable {
  /** @param args options of `quorate_verify.py` without FILE */
  verdictOn(receipt: string, args: readonly string[]): Promise<SecondVerdict>
}

/** Starts it; where Python lacks the one package that it needs, that is installed first. */
export function startSecondVerifier(): SecondVerifier {
  requirePackage()
  const child = spawn('python3', [join(verifiers, 'batch.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async verdictOn(receipt, args) {
      child.stdin.write(`${JSON.stringify({ receipt, args })}\n`)
      const line = await lines.next()
      if (line.done === true) throw new Error('the second verifier has ended')
      return JSON.parse(line.value) as SecondVerdict
    },
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.stdin.end()
      await ended
    },
  }
}

function requirePackage(): void {
  const has = () => spawnSync('python3', ['-c', 'import cryptography']).status === 0
  if (has()) return
  spawnSync('apt-get', ['update', '-qq'])
  spawnSync('apt-get', ['install', '-y', '-qq', 'python3', 'python3-cryptography'])
  if (!has())
    throw new Error('The second verifier needs Python 3.11 with "cryptography": apt-get install python3-cryptography')
}
