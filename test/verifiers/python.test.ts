import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dice } from '../helpers/dice.ts'
import { ed25519Signer, verifierKeyText } from '../../src/proof/note.ts'
import { secondVerifierFile, startSecondVerifier, type SecondVerifier } from '../helpers/python.ts'
import { approvalsOf } from '../receipts/crowd-told.ts'
import { group, signedTale } from '../receipts/insider.ts'
import { fileOfStatement, fileTelling } from '../receipts/told.ts'
import { logName } from '../receipts/trials.ts'

interface Vector {
  readonly file: string
  readonly keys: readonly string[]
  readonly witnessKeys: readonly string[]
  readonly voterKeys: readonly { readonly id: string; readonly file: string }[]
  readonly unsigned: readonly string[]
  readonly ownKeys?: true
  readonly policy: string | null
  readonly verdict: 'verified' | 'refused'
  readonly because: string
}

const directory = join(import.meta.dirname, '..', 'vectors', 'receipts')
const text = (file: string) => readFileSync(join(directory, file), 'utf8')
const vectors = JSON.parse(text('index.json')) as Vector[]

const signer = ed25519Signer(logName, generateKeyPairSync('ed25519').privateKey)
const trusted = ['--key', verifierKeyText(logName, signer.key.type, signer.key.publicKey)]

const seatOf = (id: string, atLeast = 1) => ({ kind: 'seats', atLeast, from: { kind: 'group', id } })

let second: SecondVerifier
beforeAll(() => void (second = startSecondVerifier()))
afterAll(() => second[Symbol.asyncDispose]())

const argsOf = ({ keys, witnessKeys, voterKeys, unsigned, ownKeys, policy }: Vector) => [
  ...keys.flatMap((key) => ['--key', key]),
  ...witnessKeys.flatMap((key) => ['--witness-key', key]),
  ...voterKeys.flatMap(({ id, file }) => ['--voter-key', `${id}=${join(directory, file)}`]),
  ...unsigned.flatMap((id) => ['--unsigned', id]),
  ...(ownKeys === true ? ['--own-keys'] : []),
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

it('the second verifier matches five hundred voters with sixteen leaves of the rule', { timeout: 30_000 }, async () => {
  const seats = Array.from({ length: 16 }, (_, index) => `group-${index}`)
  const tale = signedTale([], 1)
  const events = approvalsOf(512, seats, tale.request.createdAt)
  const verdictWhere = async (needed: number) => {
    const of = seats.map((id, index) => seatOf(id, index === 0 ? needed : 32))
    const stages = [{ binding: true, rule: { kind: 'threshold', atLeast: 16, of } }]
    const policy = { ...tale.policy, stages, options: { ...tale.policy.options, distinctPeople: true } }
    return second.verdictOn(await fileTelling({ ...tale, policy, events }, { signer, others: 0 }), trusted)
  }
  expect(await verdictWhere(32)).toEqual({ ok: true, failures: [] })
  expect((await verdictWhere(33)).failures[0]?.code).toBe('rule-violated')
})

it('the second verifier looks at nothing in a payload that the log did not sign', async () => {
  const stranger = ed25519Signer(logName, generateKeyPairSync('ed25519').privateKey)
  const { failures } = await second.verdictOn(fileOfStatement({ not: 'a statement' }, stranger), trusted)
  expect(failures[0]?.code).toBe('unknown-key')
  const { failures: signed } = await second.verdictOn(fileOfStatement({ not: 'a statement' }, signer), trusted)
  expect(signed[0]?.code).toBe('malformed')
})

it.each([[['--json']], [[]]])(
  'the second verifier prints plain characters only, whatever a receipt says (%j)',
  async (more) => {
    const tale = signedTale([], 1)
    const text = 'plain \u001b[31m \u007f \u0085 \u009b \u200b \u202e \u2028 \ufeff'
    const request = { ...tale.request, content: { name: text, description: null, metadata: {} } }
    const policy = { ...tale.policy, stages: [{ binding: true, rule: seatOf(group) }] }
    const events = approvalsOf(1, [group], tale.request.createdAt)
    const good = await fileTelling({ ...tale, request, policy, events }, { signer, others: 0 })
    const bad = fileOfStatement({ [text]: 1 }, signer)
    for (const [input, status] of [
      [good, 0],
      [bad, 1],
      [good, 2],
    ] as const) {
      const args = [...more, ...trusted, ...(status === 2 ? [`--${text}`] : [])]
      const ended = spawnSync('python3', [secondVerifierFile, '-', ...args], { input, encoding: 'utf8' })
      const printed = ended.stdout + ended.stderr
      expect(ended.status).toBe(status)
      expect(printed).toContain('plain')
      expect(printed).toMatch(/^[\n -~]*$/)
    }
  },
)
