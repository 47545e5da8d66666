import { afterAll, beforeAll, expect, it } from 'vitest'
import { machine } from '../helpers/agents.ts'
import { dice as newDice, type Dice } from '../helpers/dice.ts'
import { removeMember } from '../helpers/facts.ts'
import { addMember, giveRole, insertGroup } from '../helpers/quorum.ts'
import { signedVote, signer, voteWith, type Signer } from '../helpers/vote-signatures.ts'
import { startWorkflowWorld, workflows, type WorkflowWorld } from '../helpers/workflows.ts'
import type { Client } from '../helpers/world.ts'
import { replay, type Leaf } from './replay.ts'

let world: WorkflowWorld
let people: readonly Client[]
let agents: readonly Signer[]
let groups: readonly string[]
beforeAll(async () => {
  world = await startWorkflowWorld()
  people = [world.ada, world.ben, world.cleo, world.dan]
  for (const { id } of [world.ada, world.ben]) await giveRole(world.ctx, id, 'OrgWideWorkflowTemplateVoter')
  agents = [
    await signer(world, await machine(world, 'bot', world.cleo), []),
    await signer(world, await machine(world, 'drone', world.dan), []),
  ]
  groups = await Promise.all([1, 2, 3].map(() => insertGroup(world.ctx, [])))
})
afterAll(() => world.close())

const everyone = (): readonly Client[] => [...people, ...agents.map(({ client }) => client)]

function randomRule(dice: Dice, depth = 0): object {
  if (depth === 2 || dice.roll(2) === 0) {
    const seat = { type: 'GROUP_REQUIREMENT', groupId: dice.pick(groups), minCount: dice.pick([1, 1, 2, 2, 3]) }
    return dice.roll(5) === 0 ? { ...seat, requireSignature: true } : seat
  }
  const rules = Array.from({ length: 1 + dice.roll(3) }, () => randomRule(dice, depth + 1))
  return { type: dice.pick(['AND', 'OR']), rules }
}

const randomTemplate = (dice: Dice): object => ({
  approvalRule: undefined,
  stages: Array.from({ length: 1 + dice.roll(2) }, (_, index) => ({
    advisory: index > 0 && dice.roll(2) === 0,
    approvalRule: randomRule(dice),
  })).toReversed(),
  options: {
    requesterMayVote: dice.roll(2) === 0,
    distinctPeople: dice.roll(2) === 0,
    naturalPersons: dice.roll(2) === 0,
    recheckEligibility: dice.roll(3) > 0,
    veto: dice.pick(['withdrawable', 'withdrawable', 'final', 'ignored']),
  },
})

async function setMembers(dice: Dice): Promise<void> {
  await world.ctx.db.deleteFrom('memberships').where('group_id', 'in', groups).execute()
  for (const group of groups) {
    for (const { id } of everyone()) if (dice.roll(3) > 0) await addMember(world.ctx, group, id)
  }
}

/** An agent comes under another person: votes that it cast stay those of whoever answered for it then. */
async function setOwner(dice: Dice): Promise<void> {
  const answer = await world.ada.patch(`/v1/agents/${dice.pick(agents).id}`, { ownerId: dice.pick(people).id })
  expect(answer).toMatchObject({ status: 200 })
}

async function act(dice: Dice, id: string): Promise<void> {
  if (dice.roll(5) === 0) return await setMembers(dice)
  if (dice.roll(8) === 0) return await setOwner(dice)
  if (dice.roll(30) === 0) return void (await world.ada.post(`/v1${workflows}/${id}/close-stage`))
  if (dice.roll(60) === 0) return void (await world.ada.post(`/v1${workflows}/${id}/cancel`))
  const type = dice.pick(['APPROVE', 'APPROVE', 'APPROVE', 'APPROVE', 'VETO', 'WITHDRAW'] as const)
  const named = dice.roll(2) === 0 ? groups : groups.filter(() => dice.roll(2) === 0)
  const client = dice.pick(everyone())
  const own = await world.ctx.db
    .selectFrom('memberships')
    .select('group_id')
    .where('principal_id', '=', client.id)
    .execute()
  const votedFor = named.filter((group) => own.some(({ group_id }) => group_id === group))
  const agent = agents.find((each) => each.id === client.id)
  const signature =
    agent && dice.roll(3) > 0 ? await signedVote(world, agent, id, { type, groups: votedFor }) : undefined
  await voteWith(client, id, signature, type, votedFor)
}

/** The leaves of a request and of its template, in their order. */
async function leavesAbout(id: string): Promise<Leaf[]> {
  const { body } = await world.ada.get(`${workflows}/${id}`)
  const rows = await world.ctx.db
    .selectFrom('audit_leaves')
    .select('content')
    .where('subject_id', 'in', [id, String(body.workflowTemplateId)])
    .orderBy('id')
    .execute()
  return rows.map(({ content }) => JSON.parse(content) as Leaf)
}

it('an agent that comes under another person leaves its vote with the one before, whoever that one withdraws', async () => {
  const [bot] = agents
  const guards = await insertGroup(world.ctx, [world.ada.id, world.cleo.id, bot!.id])
  const comesUnder = async (owner: Client) => {
    expect(await world.ada.patch(`/v1/agents/${bot!.id}`, { ownerId: owner.id })).toMatchObject({ status: 200 })
  }
  await comesUnder(world.cleo)
  const approvalRule = world.rule(2, guards)
  const id = await world.opened({ approvalRule, options: { naturalPersons: true } })
  expect(await world.voted(bot!.client, id, 'APPROVE', [guards])).toBe('EVALUATION_IN_PROGRESS')
  expect(await world.voted(world.cleo, id, 'APPROVE', [guards])).toBe('EVALUATION_IN_PROGRESS')
  await comesUnder(world.dan)
  expect(await world.voted(world.cleo, id, 'WITHDRAW')).toBe('EVALUATION_IN_PROGRESS')
  expect(await world.voted(world.ada, id, 'APPROVE', [guards])).toBe('APPROVED')
  expect(replay(await leavesAbout(id), id).faults).toEqual([])
})

it('the approval that a vote replaces is none of those that lapsed', async () => {
  const { ada, cleo, dan } = world
  const [one, two] = [await insertGroup(world.ctx, [cleo.id, dan.id]), await insertGroup(world.ctx, [cleo.id])]
  const id = await world.opened({ approvalRule: world.rule(2, one) })
  await world.voted(dan, id, 'APPROVE', [one])
  await removeMember(ada, one, dan.id)
  await world.voted(cleo, id, 'APPROVE', [one, two])
  await removeMember(ada, two, cleo.id)
  await world.voted(cleo, id, 'APPROVE', [one])
  const votes = (await leavesAbout(id)).filter(({ kind }) => kind === 'vote.cast')
  const lapsed = { [dan.id]: [one] }
  expect(votes.map(({ facts }) => facts['lapsed'])).toEqual([undefined, lapsed, lapsed])
})

it('every vote can be judged again from the leaves alone, and comes to the same', async () => {
  const [votes, asked, decided, lapsed] = [new Set<string>(), new Set<string>(), new Set<string>(), new Set<string>()]
  for (let seed = 1; seed <= 80; seed++) {
    const dice = newDice(seed)
    await setMembers(dice)
    const id = await world.opened(randomTemplate(dice))
    for (let turn = 0; turn < 14; turn++) await act(dice, id)
    const leaves = await leavesAbout(id)
    const { state, faults } = replay(leaves, id)
    expect([seed, faults]).toEqual([seed, []])
    const row = await world.ctx.db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    const stored = { status: row.status, stage: row.stage, seq: row.vote_seq, tally: row.tally, digest: row.digest }
    const { status, stage, seq, tally, digest } = state
    expect([seed, stored]).toEqual([seed, { status, stage, seq, tally, digest }])
    for (const { kind, subject, facts } of leaves) {
      if (subject !== id || kind !== 'vote.cast') continue
      const vote = `${id}/${String(facts['seq'])}`
      votes.add(vote)
      if (facts['lapsed'] !== undefined) asked.add(vote)
      if (Object.keys(facts['lapsed'] ?? {}).length > 0) lapsed.add(vote)
      if (facts['to'] !== facts['from'] || facts['toStage'] !== undefined) decided.add(vote)
    }
  }
  // The histories have something of everything, or they would prove little.
  expect(votes.size).toBeGreaterThan(250)
  expect(asked.size).toBeGreaterThan(30)
  expect(lapsed.size).toBeGreaterThan(5)
  expect(decided.size).toBeGreaterThan(50)
}, 120_000)
