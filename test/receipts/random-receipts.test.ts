import { describe, expect, it } from 'vitest'
import { logKeyOf, receiptFile, statementIn, trusting, verdictOn } from '../helpers/receipts.ts'
import { insertGroup } from '../helpers/quorum.ts'
import { dice, type Dice } from '../helpers/dice.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'
import type { Client } from '../helpers/world.ts'

// `npm run test:receipts` makes ten thousand.
describe.each([
  ['postgres', 60],
  ['pglite', 20],
] as const)('on %s', (engine, rounds) => {
  it(`${rounds} workflows of random rules and votes have receipts that hold`, { timeout: 180_000 }, async () => {
    await using world = await startWorkflowWorld({ engine })
    const people = [world.cleo, world.dan, world.eli, await world.voter('Fay'), await world.voter('Gil')]
    const groups = await Promise.all([0, 1, 2].map((skip) => insertGroup(world.ctx, idsWithout(people, skip))))
    const statuses: Record<string, number> = {}
    const refused: string[] = []
    for (let round = 0; round < rounds; round++) {
      const id = await randomWorkflow(world, people, groups, dice(round))
      const file = await receiptFile(world, world.ada, id)
      const said = verdictOn(file, trusting([await logKeyOf(world.ctx)]))
      if (said !== 'verified') refused.push(`${round}: ${said}`)
      const { status } = statementIn(file).predicate.decision
      statuses[status] = (statuses[status] ?? 0) + 1
    }
    expect(refused).toEqual([])
    // Worth nothing if chance had left one out.
    expect(Object.keys(statuses).toSorted((a, b) => a.localeCompare(b))).toEqual(['approved', 'canceled', 'rejected'])
  })
})

function idsWithout(people: readonly Client[], skip: number): string[] {
  return people.filter((_, index) => index !== skip).map(({ id }) => id)
}

/** Opens one and votes on it until it is decided, or somebody loses patience. */
async function randomWorkflow(world: WorkflowWorld, people: readonly Client[], groups: readonly string[], by: Dice) {
  const options = {
    veto: by.pick(['withdrawable', 'final', 'ignored']),
    requesterMayVote: by.roll(2) === 0,
    distinctPeople: by.roll(2) === 0,
    naturalPersons: by.roll(2) === 0,
    recheckEligibility: by.roll(3) > 0,
  }
  const stage = (advisory: boolean) => ({ advisory, approvalRule: randomRule(by, groups, 0) })
  const stages = by.roll(3) === 0 ? [stage(by.roll(2) === 0), stage(false)] : [stage(false)]
  const id = await world.opened({ approvalRule: undefined, stages, options })
  for (let turn = 0; turn < 12; turn++) {
    const status = await world.statusOf(id)
    const isOver = status === 'APPROVED' || (status === 'REJECTED' && (options.veto === 'final' || by.roll(2) === 0))
    if (isOver) return id
    const type = by.pick(['APPROVE', 'APPROVE', 'APPROVE', 'APPROVE', 'VETO', 'WITHDRAW', 'WITHDRAW'] as const)
    // What is refused changes nothing.
    await world.vote(by.pick(people), id, type, by.shuffled(groups).slice(0, 1 + by.roll(2)))
  }
  if ((await world.statusOf(id)) !== 'APPROVED') await world.ada.post(`/v1/workflows/${id}/cancel`)
  return id
}

function randomRule(by: Dice, groups: readonly string[], depth: number): object {
  if (depth > 1 || by.roll(2) === 0) {
    return { type: 'GROUP_REQUIREMENT', groupId: by.pick(groups), minCount: 1 + by.roll(2) }
  }
  const rules = Array.from({ length: 2 + by.roll(2) }, () => randomRule(by, groups, depth + 1))
  return { type: by.pick(['AND', 'OR']), rules }
}
