import { generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { ed25519Signer } from '../../src/proof/note.ts'
import { insertGroupOf, insertVoters } from '../helpers/crowd.ts'
import { logKeyOf, receiptFile, statementIn, trusting, verdictOn } from '../helpers/receipts.ts'
import { startWorkflowWorld } from '../helpers/workflows.ts'
import { approvalsOf } from './crowd-told.ts'
import { fileTelling } from './told.ts'
import { logName } from './trials.ts'
import { signedTale } from './insider.ts'

it('a request on which a thousand voted has a receipt, and each query of it is one for all of them', async () => {
  await using world = await startWorkflowWorld()
  const { ctx } = world
  const voters = await insertVoters(
    ctx,
    Array.from({ length: 1000 }, () => ({})),
  )
  const group = await insertGroupOf(
    ctx,
    voters.map(({ id }) => id),
  )
  const id = await world.opened({ approvalRule: world.rule(1000, group) })
  for (const voter of voters) await world.voted(await world.signedIn(voter.id), id, 'APPROVE', [group])

  const few = await world.opened()
  await world.voted(world.cleo, few, 'APPROVE')
  const queries = await queriesOf(ctx, async () => void (await receiptFile(world, world.ada, few)))
  let file = ''
  const queriesOfMany = await queriesOf(ctx, async () => void (file = await receiptFile(world, world.ada, id)))
  // Ten times as many tiles may be another query.
  expect(queriesOfMany).toBeLessThanOrEqual(queries + 5)
  expect(verdictOn(file, trusting([await logKeyOf(ctx)]))).toBe('verified')
  expect(statementIn(file).predicate.votes.length).toBe(1000)
})

async function queriesOf(ctx: Parameters<typeof logKeyOf>[0], work: () => Promise<void>): Promise<number> {
  let queries = 0
  const db = ctx.db as unknown as { executeQuery: (...args: unknown[]) => unknown }
  const original = db.executeQuery
  db.executeQuery = function (this: unknown, ...args: unknown[]) {
    queries += 1
    return original.apply(this, args)
  }
  try {
    await work()
  } finally {
    db.executeQuery = original
  }
  return queries
}

it('ten thousand votes are verified', async () => {
  const signer = ed25519Signer(logName, generateKeyPairSync('ed25519').privateKey)
  const tale = signedTale([], 10_000)
  const votes = approvalsOf(10_000, ['g'], tale.request.createdAt)
  const rule = { kind: 'seats', atLeast: 10_000, from: { kind: 'group', id: 'g' } }
  const policy = { ...tale.policy, stages: [{ binding: true, rule }] }
  const file = await fileTelling({ ...tale, policy, events: votes }, { signer, others: 1 })
  expect(verdictOn(file, trusting([signer.key]))).toBe('verified')
  const fewer = { ...policy, stages: [{ binding: true, rule: { ...rule, atLeast: 10_001 } }] }
  const short = await fileTelling({ ...tale, policy: fewer, events: votes }, { signer, others: 1 })
  expect(verdictOn(short, trusting([signer.key]))).toMatch(/^rule-violated/)
})

it('ten thousand votes by the agents of one person are verified in seconds', { timeout: 20_000 }, async () => {
  const signer = ed25519Signer(logName, generateKeyPairSync('ed25519').privateKey)
  const count = 10_000
  const tale = signedTale([], count)
  const seat = (id: string) => ({ kind: 'seats', atLeast: 1, from: { kind: 'group', id } })
  const stages = [{ binding: true, rule: { kind: 'threshold', atLeast: 2, of: [seat('g'), seat('h')] } }]
  // One person is enough by count for every leaf, and never for two: so that each vote asks for all that stand.
  const options = { ...tale.policy.options, naturalPersons: true, distinctPeople: true }
  const events = approvalsOf(count, ['g', 'h'], tale.request.createdAt).map((vote, index) => {
    return { ...vote, lapsed: {}, person: index === count - 1 ? 'ben' : 'cleo' }
  })
  const told = { ...tale, policy: { ...tale.policy, stages, options }, events }
  const file = await fileTelling(told, { signer, others: 0 })
  const before = process.cpuUsage()
  expect(verdictOn(file, trusting([signer.key]))).toBe('verified')
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1_000_000).toBeLessThan(10)
})
