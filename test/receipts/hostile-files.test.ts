import { beforeAll, describe, expect, it } from 'vitest'
import { readCanonical, writeCanonical } from '../../src/proof/canonical-json.ts'
import { accountOf } from '../../src/verify/account.ts'
import { tellAccount } from '../../src/verify/tell-account.ts'
import { verifyReceipt } from '../../src/verify/verify-receipt.ts'
import { trusting, verdictOn, voterKeys } from '../helpers/receipts.ts'
import { signedTale } from './insider.ts'
import { fileOfStatement, fileTelling, receiptOf, statementOf, type Told } from './told.ts'
import { newGround, type Ground } from './trials.ts'
import { newVoter } from './voters.ts'

let ground: Ground
beforeAll(() => void (ground = newGround()))

type Loose = Record<string, unknown> & { predicate: Record<string, unknown> }

const many = (count: number, item: unknown) => Array.from({ length: count }, () => item)
const members = (count: number) => Object.fromEntries(many(count, 0).map((each, index) => [`m${index}`, each]))

/** Milliseconds of computing, whatever else the machine does, until a file of a megabyte or more is refused. */
function timeToRefuse(statement: object, isSigned: boolean): number {
  const file = fileOfStatement(statement, isSigned ? ground.signer : ground.stranger)
  expect(file.length).toBeGreaterThan(1_000_000)
  const begun = process.cpuUsage()
  expect(verifyReceipt(file, trusting([ground.signer.key])).verdict).toBe('refused')
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1000
}

describe('a file of a megabyte with a million problems', () => {
  const bends: readonly (readonly [string, (statement: Loose) => void])[] = [
    ['votes that are none', ({ predicate }) => void (predicate['votes'] = many(260_000, {}))],
    [
      'names that are none',
      ({ predicate }) => void (predicate['names'] = { principals: many(380_000, 0), groups: [] }),
    ],
    ['members that are unknown', ({ predicate }) => Object.assign(predicate, members(80_000))],
    [
      'stages that are none',
      ({ predicate }) => Object.assign(predicate['policy'] as object, { stages: many(380_000, 0) }),
    ],
    [
      'options that are unknown',
      ({ predicate }) => Object.assign(predicate['policy'] as object, { options: members(80_000) }),
    ],
  ]
  it.each(bends)('is refused at once: %s', async (_, bend) => {
    const receipt = await receiptOf(signedTale([ground.voters[0]!], 1), { signer: ground.signer, others: 1 })
    const statement = readCanonical(writeCanonical(statementOf(receipt))) as Loose
    bend(statement)
    // The first time pays for the compiler.
    for (const isSigned of [false, true]) timeToRefuse(statement, isSigned)
    const best = (isSigned: boolean) => Math.min(...many(5, 0).map(() => timeToRefuse(statement, isSigned)))
    expect(best(true)).toBeLessThan(200)
    // Who is not trusted is not even read.
    expect(best(false)).toBeLessThan(40)
  })
})

/** Every kind of character that a terminal does something with. */
const wild = '\u001B[2J\u0007\u009B1m\u202E\u2066\u2028\u2029\u200B\u00AD\uFEFF\u{E0041}\n'
const tame = /^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|\n)*$/u

describe('what others wrote', () => {
  const voter = newVoter(`agent${wild}`)
  const told = (): Told => {
    const tale = signedTale([voter], 1)
    const [vote] = tale.events
    return {
      ...tale,
      events: [{ ...vote!, reason: { salt: 's', text: `reason${wild}` } } as Told['events'][number]],
      policy: { ...tale.policy, name: { salt: 's', text: `rule${wild}` } },
      names: [{ id: tale.request.requester, kind: 'user.created', name: `Ada${wild}`, salt: 's' }],
    }
  }

  it('moves no cursor and hides nothing in the account', async () => {
    const tale = signedTale([voter], 1, { id: `request${wild}`, text: `what${wild}` })
    const file = await fileTelling(
      { ...told(), request: tale.request, events: tale.events },
      { signer: ground.signer, others: 1 },
    )
    const verdict = verifyReceipt(file, trusting([ground.signer.key], { voterKeys: voterKeys(voter) }))
    if (verdict.verdict === 'refused') throw new Error(verdict.failures[0]?.detail)
    const text = tellAccount(accountOf(verdict.verified))
    expect(text).toMatch(tame)
    expect(text).toContain('\\u001b')
  })

  it('nor in the reason of a vote, which is said to be nobody’s but the server’s word', async () => {
    const file = await fileTelling(told(), { signer: ground.signer, others: 1 })
    const verdict = verifyReceipt(file, trusting([ground.signer.key], { voterKeys: voterKeys(voter) }))
    if (verdict.verdict === 'refused') throw new Error(verdict.failures[0]?.detail)
    const text = tellAccount(accountOf(verdict.verified))
    expect(text).toMatch(tame)
    const [signed = '', word = ''] = text.split('\n').filter((line) => line.startsWith('      '))
    expect(signed).toMatch(/signed by the voter: approve for .*, in stage 1, .* by the voter's clock/)
    expect(signed).not.toContain('reason')
    expect(word).toMatch(/on the server's word: that it was vote 1, at .*; the reason "reason/)
  })

  it('nor in the detail of a failure', async () => {
    const file = await fileTelling(told(), { signer: ground.signer, others: 1 })
    const said = verdictOn(file, trusting([ground.signer.key]))
    expect(said).toMatch(/^voter-key-missing/)
    expect(said).toMatch(tame)
    const statement = readCanonical(
      writeCanonical(statementOf(await receiptOf(told(), { signer: ground.signer, others: 1 }))),
    ) as Loose
    statement['predicateType'] = `urn:${wild}`
    const other = verdictOn(fileOfStatement(statement, ground.signer), trusting([ground.signer.key]))
    expect(other).toMatch(/^unknown-version/)
    expect(other).toMatch(tame)
  })
})
