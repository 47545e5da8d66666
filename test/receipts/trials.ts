/** What the campaign and its short run in the tests have in common. */
import { generateKeyPairSync } from 'node:crypto'
import { ed25519Signer, type NoteSigner } from '../../src/proof/note.ts'
import type { Trust } from '../../src/verify/trust.ts'
import { readCanonical, writeCanonical } from '../../src/proof/canonical-json.ts'
import { statementIn, trusting, verdictOn, voterKeys } from '../helpers/receipts.ts'
import { chance } from '../kernel/cases.ts'
import { forgeryOf, newLoot } from './insider.ts'
import { deniedTale, honestTales, keyForgeryOf, votersKeys } from './key-insider.ts'
import { changeField, mutantOf } from './mutations.ts'
import { organization, randomTold } from './random-told.ts'
import { answered, randomKeyOf } from './security-keys.ts'
import { fileOfStatement, fileTelling, isVote, policyDigestOf, type Told, type ToldVote } from './told.ts'
import { newVoter, signed, type Voter } from './voters.ts'

export const logName = `quorate.local/log/${organization}`

export interface Ground {
  readonly signer: NoteSigner
  /** Nobody trusts it, although it has the log's name. */
  readonly stranger: NoteSigner
  /** Agents of the random cases. */
  readonly voters: readonly Voter[]
}

export function newGround(): Ground {
  const newSigner = () => ed25519Signer(logName, generateKeyPairSync('ed25519').privateKey)
  return { signer: newSigner(), stranger: newSigner(), voters: [newVoter('bot1'), newVoter('bot2')] }
}

export interface Trial {
  readonly told: Told
  readonly file: string
  readonly trust: Trust
}

/** A random tale with everything that its voters sign. */
export function randomSigned(seed: number, number: number, voters: readonly Voter[]): Told {
  return answered(signed(randomTold(seed, number), voters), randomKeyOf)
}

/** A good receipt with what it takes to believe it. */
export async function goodTrial({ signer, voters }: Ground, seed: number, number: number): Promise<Trial> {
  const told = randomSigned(seed, number, voters)
  const file = await fileTelling(told, { signer, others: number % 5 })
  const votes = told.events.filter(isVote)
  const policy = told.request.content === null ? policyDigestOf(told.policy) : null
  const trust = trusting([signer.key], { policy })
  const isSigned = votes.some(({ signature }) => signature !== undefined)
  const byKeys = votes.filter(({ evidence }) => evidence !== undefined).map(({ principal }) => randomKeyOf(principal))
  // Of people alone it is believed without their keys, too.
  const isKeyed = isSigned || (byKeys.length > 0 && told.request.content !== null && number % 3 > 0)
  if (!isKeyed) return { told, file, trust }
  const unsigned = new Set(votes.filter((vote) => !isProven(vote)).map(({ principal }) => principal))
  const keys = voterKeys(...voters, ...byKeys)
  return { told, file, trust: { ...trust, unsigned, voterKeys: keys, needsOwnKeys: number % 2 === 0 } }
}

const isProven = ({ signature, evidence }: ToldVote) => signature !== undefined || evidence !== undefined

export interface Mutant {
  readonly how: string
  readonly file: string
}

/** So many changed receipts, none of which may be believed. */
export function* mutantsOf(
  { file }: Trial,
  { signer, stranger }: Ground,
  count: number,
  seed: number,
): Generator<Mutant> {
  const dice = chance(seed, count)
  for (let made = 0; made < count; made++) {
    const mutant = dice.onceIn(10) ? resigned(file, dice, signer) : mutantOf(file, dice, stranger)
    if (mutant !== null) yield mutant
  }
}

/** @returns what of so many mutants of a receipt was believed, as sentences */
export function acceptedMutants(trial: Trial, ground: Ground, count: number, seed: number): string[] {
  return [...mutantsOf(trial, ground, count, seed)]
    .filter(({ file }) => verdictOn(file, trial.trust) === 'verified')
    .map(({ how }) => how)
}

/** One field changed and all signed anew by the server, which is more than it may: what the tree holds is something else. */
function resigned(file: string, dice: ReturnType<typeof chance>, signer: NoteSigner) {
  const { payload } = JSON.parse(file) as { payload: string }
  const text = Buffer.from(payload, 'base64').toString()
  for (;;) {
    const statement = readCanonical(text)
    const how = changeField(statement, dice)
    // What may be erased may be left out, and the order of names says nothing.
    const isErasure = /\.(content|name|reason|publicKey|names\.[a-z]+(\.\d+)?) (removed|changed|re-ordered)$/.test(how)
    // No vote is believed for the server's copy of a key.
    // Two alike that change places are no change.
    if (!isErasure && writeCanonical(statement) !== text) {
      return { how: `${how}, signed by the server`, file: fileOfStatement(statement, signer) }
    }
  }
}

/** Of `count` forgeries those that were believed. @throws Error when the honest receipt is not */
export async function believedForgeries(signer: NoteSigner, count: number, seed: number): Promise<string[]> {
  const voters = [newVoter('01900000-0000-7000-8000-000000000001'), newVoter('01900000-0000-7000-8000-000000000002')]
  const loot = newLoot(voters)
  const trust = trusting([signer.key], { voterKeys: voterKeys(...voters) })
  for (const told of [loot.honest, loot.elsewhere, loot.vetoed]) {
    const said = verdictOn(await fileTelling(told, { signer, others: 1 }), trust)
    if (said !== 'verified') throw new Error(`an honest receipt is refused: ${said}`)
  }
  const believed: string[] = []
  for (let number = 0; number < count; number++) {
    const dice = chance(seed, number)
    const { how, told } = forgeryOf(number, loot, dice)
    const file = await fileTelling(told, { signer, others: dice.below(4) })
    // Whoever was told to expect the rule that the owner names is not to be deceived either.
    const expecting = { ...trust, policy: policyDigestOf(told.policy) }
    if ([trust, expecting].some((each) => verdictOn(file, each) === 'verified')) believed.push(how)
  }
  return believed
}

/**
 * The same of votes that security keys prove: every voter's key is given, and nobody may vote without. Besides, where people may, but
 * the rule is known and asks for their keys, nothing is approved.
 * @param isBelieved whether any verifier believes a receipt
 */
export async function believedKeyForgeries(
  signer: NoteSigner,
  count: number,
  seed: number,
  isBelieved: IsBelieved = async (file, trust) => verdictOn(file, trust) === 'verified',
): Promise<string[]> {
  const trust = trusting([signer.key], { voterKeys: voterKeys(...votersKeys) })
  const [honest] = honestTales as [Told]
  const unsigned = new Set(votersKeys.map(({ id }) => id))
  const lenient: Trust = { ...trust, unsigned, needsOwnKeys: true, policy: policyDigestOf(honest.policy) }
  const tales = [
    ...honestTales.flatMap((told) => [[told, trust] as const, [told, lenient] as const]),
    [deniedTale, lenient] as const,
  ]
  for (const [told, by] of tales) {
    const said = verdictOn(await fileTelling(told, { signer, others: 1 }), by)
    if (said !== 'verified') throw new Error(`an honest receipt is refused: ${said}`)
  }
  const believed: string[] = []
  for (let number = 0; number < count; number++) {
    const dice = chance(seed, number)
    const { how, told } = keyForgeryOf(number, dice)
    const file = await fileTelling(told, { signer, others: dice.below(4) })
    const expecting = { ...trust, policy: policyDigestOf(told.policy) }
    if ((await isBelieved(file, trust)) || (await isBelieved(file, expecting))) believed.push(how)
    if (isApproved(file) && (await isBelieved(file, lenient))) believed.push(`${how}, where people need not sign`)
  }
  return believed
}

type IsBelieved = (file: string, trust: Trust) => Promise<boolean>

function isApproved(file: string): boolean {
  return statementIn(file).predicate.decision.status === 'approved'
}
