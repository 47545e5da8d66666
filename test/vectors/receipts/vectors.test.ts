import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verifyCommand } from '../../../src/verify/command.ts'
import type { Vector } from './make.ts'

const folder = import.meta.dirname
const vectors = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Vector[]

/** As the command line gives it. */
function argumentsOf(vector: Vector): string[] {
  const { file, keys, witnessKeys, voterKeys, unsigned, ownKeys, policy } = vector
  return [
    join(folder, file),
    '--json',
    ...keys.flatMap((key) => ['--key', key]),
    ...witnessKeys.flatMap((key) => ['--witness-key', key]),
    ...voterKeys.flatMap((voter) => ['--voter-key', `${voter.id}=${join(folder, voter.file)}`]),
    ...unsigned.flatMap((id) => ['--unsigned', id]),
    ...(ownKeys === true ? ['--own-keys'] : []),
    ...(policy === null ? [] : ['--policy', policy]),
  ]
}

describe('the test vectors of receipts', () => {
  it.each(vectors.map((vector) => [vector.because, vector] as const))('%s', async (_, vector) => {
    let said = ''
    const status = await verifyCommand(argumentsOf(vector), {
      out: (text) => (said += text),
      err: (text) => (said += text),
    })
    const report = JSON.parse(said) as {
      verdict: string
      failures: { code: string; detail: string }[]
      account: unknown
    }
    expect([report.verdict, report.failures[0]?.code ?? null]).toEqual([vector.verdict, vector.code])
    expect(status).toBe(vector.verdict === 'verified' ? 0 : 1)
    expect(report.account === null).toBe(vector.verdict === 'refused')
  })
})
