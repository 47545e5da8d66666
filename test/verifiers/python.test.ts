import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dice } from '../helpers/dice.ts'
import { startSecondVerifier, type SecondVerifier } from '../helpers/python.ts'

interface Vector {
  readonly file: string
  readonly keys: readonly string[]
  readonly witnessKeys: readonly string[]
  readonly voterKeys: readonly { readonly id: string; readonly file: string }[]
  readonly unsigned: readonly string[]
  readonly policy: string | null
  readonly verdict: 'verified' | 'refused'
  readonly because: string
}

const directory = join(import.meta.dirname, '..', 'vectors', 'receipts')
const text = (file: string) => readFileSync(join(directory, file), 'utf8')
const vectors = JSON.parse(text('index.json')) as Vector[]

let second: SecondVerifier
beforeAll(() => void (second = startSecondVerifier()))
afterAll(() => second[Symbol.asyncDispose]())

const argsOf = ({ keys, witnessKeys, voterKeys, unsigned, policy }: Vector) => [
  ...keys.flatMap((key) => ['--key', key]),
  ...witnessKeys.flatMap((key) => ['--witness-key', key]),
  ...voterKeys.flatMap(({ id, file }) => ['--voter-key', `${id}=${join(directory, file)}`]),
  ...unsigned.flatMap((id) => ['--unsigned', id]),
  ...(policy === null ? [] : ['--policy', policy]),
]

it.each(vectors)('the second verifier gives the same verdict: $because', async (vector) => {
  const { ok, failures } = await second.verdictOn(text(vector.file), argsOf(vector))
  expect(ok ? 'verified' : 'refused', JSON.stringify(failures)).toBe(vector.verdict)
})

it('the second verifier refuses every receipt with one byte changed', async () => {
  const { roll, pick } = dice(1)
  const good = vectors.filter(({ verdict }) => verdict === 'verified')
  expect(good.length).toBeGreaterThan(10)
  for (let count = 0; count < 1_000; count++) {
    const vector = pick(good)
    const bytes = Buffer.from(text(vector.file), 'latin1')
    const at = roll(bytes.length)
    bytes[at] = ((bytes[at] ?? 0) + 1 + roll(126)) % 127
    const { ok } = await second.verdictOn(bytes.toString('latin1'), argsOf(vector))
    expect(ok, `${vector.file}, byte ${at}`).toBe(false)
  }
})
