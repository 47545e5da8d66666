/**
 * Receipts of every shape, verified with the network off, and everything that may go wrong with them:
 * `npm run test:receipts`.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { verifierKeyText, type NoteSigner } from '../../src/proof/note.ts'
import type { Trust } from '../../src/verify/trust.ts'
import { verifyReceipt } from '../../src/verify/verify-receipt.ts'
import { pemOf } from '../helpers/signing.ts'
import { startSecondVerifier, type SecondVerifier } from '../helpers/python.ts'
import { saidBy, trusting } from '../helpers/receipts.ts'
import { byTwoKeys } from './custody-told.ts'
import { evidenceMutants } from './evidence-mutants.ts'
import { cutNetwork } from './no-network.ts'
import { fileTelling, isTerms, isVote, type Told, type ToldVote } from './told.ts'
import {
  believedForgeries,
  believedKeyForgeries,
  goodTrial,
  mutantsOf,
  newGround,
  type Ground,
  type Trial,
} from './trials.ts'

const help = `Verifies receipts of every shape with the network off, by both verifiers, and tries to have others believed.

  npm run test:receipts -- [options]

  --receipts N   receipts of random rules and votes, each of which must verify (default 10000)
  --mutations N  changed ones, spread over these, none of which may (default 100000)
  --insider N    forgeries by someone with the store and the log's key, but no voter's key, none of which may (default 500)
  --seed S       (default 1)

Every field and every byte of what security keys answered is changed besides, and the rest of the receipt made anew to fit.
  --help
`

const number = (text: string) => ({ type: 'string', default: text }) as const
const { values } = parseArgs({
  options: {
    receipts: number('10000'),
    mutations: number('100000'),
    insider: number('500'),
    seed: number('1'),
    help: { type: 'boolean', default: false },
  },
})

/** Milliseconds (the budget for a receipt of ten votes). */
const budget = 20

if (values.help) {
  process.stdout.write(help)
} else {
  const counts = { receipts: wholeOf('receipts'), mutations: wholeOf('mutations'), insider: wholeOf('insider') }
  const ground = newGround()
  // Before the network is cut, since it starts processes with pipes.
  await reportApart(ground)
  const directory = mkdtempSync(join(tmpdir(), 'quorate-receipts-'))
  const second = startSecondVerifier()
  cutNetwork()
  say('In this process connecting, listening and asking for names throw.')
  const isRight = [
    await runReceipts({ ground, second, directory }, counts.receipts, counts.mutations, wholeOf('seed')),
    await runEvidence({ ground, second, directory }),
    await runInsider({ ground, second, directory }, counts.insider, wholeOf('seed')),
    await runTimes(ground),
  ].every(Boolean)
  process.exitCode = isRight ? 0 : 1
  await second[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
}

interface Means {
  readonly ground: Ground
  readonly second: SecondVerifier
  /** For files of keys. */
  readonly directory: string
}

/** Both verifiers must believe each receipt and no mutant of it. */
async function runReceipts(
  { ground, second, directory }: Means,
  receipts: number,
  mutations: number,
  seed: number,
): Promise<boolean> {
  const refused: string[] = []
  const accepted: string[] = []
  const decisions: Record<string, number> = {}
  let [mutants, made] = [0, 0]
  let shown = performance.now()
  for (let receipt = 0; receipt < receipts; receipt++) {
    const trial = await goodTrial(ground, seed, receipt)
    const args = argsOf(ground, trial, directory)
    const said = saidBy(verifyReceipt(trial.file, trial.trust))
    if (said !== 'verified') refused.push(`${receipt}: ${said}`)
    const { ok, failures } = await second.verdictOn(trial.file, args)
    if (!ok) refused.push(`${receipt}, by the second verifier: ${JSON.stringify(failures)}`)
    const moves = trial.told.events.filter((event) => !isTerms(event))
    const decision = moves.findLast(({ from, to }) => from !== to)?.to ?? 'open'
    decisions[decision] = (decisions[decision] ?? 0) + 1
    const share = Math.floor(((receipt + 1) * mutations) / receipts) - made
    made += share
    for (const { how, file } of mutantsOf(trial, ground, share, receipt)) {
      mutants += 1
      if (verifyReceipt(file, trial.trust).verdict === 'verified') accepted.push(`${receipt}: ${how}`)
      if ((await second.verdictOn(file, args)).ok) accepted.push(`${receipt}, by the second verifier: ${how}`)
    }
    if (performance.now() - shown > 10_000) {
      say(`… ${receipt + 1} receipts, ${mutants} mutants`)
      shown = performance.now()
    }
  }
  const spread = Object.entries(decisions).map(([status, count]) => `${count} ${status}`)
  say(`${refused.length} of ${receipts} receipts refused by either verifier (${spread.join(', ')}).`)
  say(`${accepted.length} of ${mutants} mutants accepted by either verifier.`)
  for (const each of [...refused, ...accepted].slice(0, 20)) say(`  ${each}`)
  return refused.length === 0 && accepted.length === 0
}

/** What security keys answered, changed field by field and byte by byte, in receipts that tell nothing else of it. */
async function runEvidence({ ground: { signer }, second, directory }: Means): Promise<boolean> {
  const accepted: string[] = []
  let mutants = 0
  const trust = trusting([signer.key])
  const args = keyArgs(trust, signer, directory)
  for (const { how, told } of evidenceMutants(byTwoKeys)) {
    mutants += 1
    const file = await fileTelling(told, { signer, others: 0 })
    if (verifyReceipt(file, trust).verdict === 'verified') accepted.push(how)
    if ((await second.verdictOn(file, args)).ok) accepted.push(`by the second verifier: ${how}`)
  }
  say(`${accepted.length} of ${mutants} changes of what security keys answered accepted by either verifier.`)
  for (const each of accepted.slice(0, 20)) say(`  ${each}`)
  return accepted.length === 0
}

async function runInsider({ ground, second, directory }: Means, count: number, seed: number): Promise<boolean> {
  const { signer } = ground
  const agents = await believedForgeries(signer, count, seed)
  say(`${agents.length} of ${count} forgeries by the owner of the server verified.`)
  const people = await believedKeyForgeries(signer, count, seed, async (file, trust) => {
    const { ok } = await second.verdictOn(file, keyArgs(trust, signer, directory))
    return ok || verifyReceipt(file, trust).verdict === 'verified'
  })
  say(`${people.length} of ${count} forgeries of what security keys approve verified by either verifier.`)
  const believed = [...agents, ...people]
  for (const how of new Set(believed)) say(`  ${how}`)
  return believed.length === 0
}

/** How long a receipt of ten votes takes, alone. */
async function runTimes({ signer }: Ground): Promise<boolean> {
  const file = await fileTelling(tenVotes(), { signer, others: 1000 })
  const trust = trusting([signer.key])
  const times = Array.from({ length: 1000 }, () => {
    const begun = performance.now()
    const { verdict } = verifyReceipt(file, trust)
    if (verdict !== 'verified') throw new Error('a receipt of ten votes is refused')
    return performance.now() - begun
  }).toSorted((a, b) => a - b)
  const p95 = times[Math.floor(times.length * 0.95)] ?? Infinity
  say(`A receipt of ten votes is verified in ${p95.toFixed(2)} ms (p95 of ${times.length}; budget ${budget} ms).`)
  return p95 <= budget
}

function tenVotes(): Told {
  const vote = (seq: number): ToldVote => ({
    seq,
    at: '2026-11-21T12:00:00.000Z',
    principal: `voter-${seq}`,
    kind: 'human',
    person: `person-${seq}`,
    stance: 'approve',
    stage: 0,
    seats: ['security'],
    assurance: ['stepUp'],
    from: 'open',
    to: seq === 10 ? 'approved' : 'open',
    ...(seq === 10 && { toStage: 1, lapsed: {} }),
  })
  return {
    organization: '01900000-0000-7000-8000-00000000000a',
    request: {
      id: 'request',
      dialect: 'native',
      policy: 'policy',
      requester: 'ada',
      person: null,
      createdAt: '2026-11-21T11:00:00.000Z',
      expiresAt: '2026-11-22T11:00:00.000Z',
      content: { name: 'ten votes', description: null, metadata: {} },
    },
    policy: {
      id: 'policy',
      stages: [
        {
          binding: true,
          rule: { kind: 'seats', atLeast: 10, from: { kind: 'group', id: 'security' }, assurance: ['stepUp'] },
        },
      ],
      options: {
        veto: 'withdrawable',
        requesterMayVote: false,
        distinctPeople: false,
        naturalPersons: false,
        recheckEligibility: true,
        vetoNeedsAssurance: true,
      },
    },
    events: Array.from({ length: 10 }, (_, index) => vote(index + 1)),
    names: [],
  }
}

/** The program itself, in a network of its own that has nothing in it, where this machine has such. */
async function reportApart(ground: Ground): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-receipts-'))
  try {
    const trials = await Promise.all(Array.from({ length: 20 }, (_, at) => goodTrial(ground, 7, at)))
    const results = trials.map((trial) => runApart(ground, trial, directory))
    const failed = results.find((status) => status !== 0)
    if (results.includes(null)) say('There is no `unshare --net` here: the program was not run without a network.')
    else if (failed !== undefined)
      throw new Error(`quorate verify ended with ${failed} in a network with nothing in it`)
    else say(`quorate verify verified ${results.length} receipts in a network namespace with nothing in it.`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The options that say what a trial is to be believed by, with the files that they name. */
function argsOf({ signer }: Ground, { trust }: Trial, directory: string): string[] {
  return keyArgs(trust, signer, directory)
}

function keyArgs(trust: Trust, signer: NoteSigner, directory: string): string[] {
  const { name, type, publicKey } = signer.key
  const args = ['--key', verifierKeyText(name, type, publicKey)]
  if (trust.policy !== null) args.push('--policy', trust.policy)
  if (trust.needsOwnKeys) args.push('--own-keys')
  for (const [id, keys] of trust.voterKeys) {
    for (const key of keys) {
      const pem = join(directory, `${id}.pem`)
      writeFileSync(pem, pemOf(key))
      args.push('--voter-key', `${id}=${pem}`)
    }
  }
  for (const id of trust.unsigned) args.push('--unsigned', id)
  return args
}

function runApart(ground: Ground, trial: Trial, directory: string): number | null {
  const path = join(directory, 'receipt.json')
  writeFileSync(path, trial.file)
  const args = ['verify', path, '--json', ...argsOf(ground, trial, directory)]
  const { told } = trial
  if (!told.events.some(isVote) && told.events.length === 0) return 0
  const program = join(import.meta.dirname, '..', '..', 'src', 'cli', 'quorate.ts')
  const { status, error } = spawnSync('unshare', ['-r', '-n', process.execPath, program, ...args], { timeout: 60_000 })
  return error === undefined ? status : null
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function wholeOf(name: 'receipts' | 'mutations' | 'insider' | 'seed'): number {
  const value = Number(values[name])
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} takes a whole number`)
  return value
}
