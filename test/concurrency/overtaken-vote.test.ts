import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Tx } from '../../src/store/open.ts'
import { untilWaiting } from '../helpers/lock-waits.ts'
import { giveRole, insertGroup, insertPolicy, insertSpace, orgId, seats } from '../helpers/quorum.ts'
import { startWorld, type Answer, type Client, type World } from '../helpers/world.ts'

let world: World
let ada: Client
let ben: Client
let team: string
let spaceId: string

beforeAll(async () => {
  world = await startWorld({ engine: 'postgres' })
  ada = await world.person('Ada', { admin: true })
  ben = await world.person('Ben')
  spaceId = await insertSpace(world.ctx)
  await giveRole(world.ctx, ben.id, 'SpaceWideWorkflowTemplateVoter', { type: 'space', id: spaceId })
  team = await insertGroup(world.ctx, [ben.id])
})
afterAll(() => world.close())

/** A vote that has read its request and waits for the row, which `change` has changed and `after` may still be changing. */
async function overtake(name: string, change: (tx: Tx) => Promise<unknown>, after?: (tx: Tx) => Promise<unknown>) {
  const { ctx } = world
  const vote = { voteType: { type: 'APPROVE', votedForGroups: [team] } }
  const { voting } = await ctx.db.transaction().execute(async (tx) => {
    await change(tx)
    const sent = ben.post(`/workflows/${name}/vote`, vote)
    await untilWaiting(ctx.db)
    await after?.(tx)
    return { voting: sent }
  })
  return outcomeOf(await voting)
}

function outcomeOf({ status, body }: Answer): string {
  return `${status} ${body.code ?? body.workflowStatus}`
}

it('a stage that is closed under a vote does not take it into the next', async () => {
  const other = await insertGroup(world.ctx, [ada.id])
  const stages = [
    { binding: false, rule: seats(team, 2) },
    { binding: true, rule: seats(other, 2) },
  ]
  const policyId = await insertPolicy(world.ctx, stages, {}, { spaceId })
  await ada.post('/workflows', { name: 'staged', workflowTemplateId: policyId })
  const tally = JSON.stringify({ approvals: [0], vetoes: 0 })
  const close = (tx: Tx) => tx.updateTable('requests').set({ stage: 1, tally }).where('name', '=', 'staged').execute()
  expect(await overtake('staged', close)).toBe('422 ENTITY_NOT_IN_REQUIRED_GROUP')
})

it('a workflow that is canceled under a vote does not take it', async () => {
  const policyId = await insertPolicy(world.ctx, seats(team, 2), {}, { spaceId })
  await ada.post('/workflows', { name: 'canceled', workflowTemplateId: policyId })
  const cancel = (tx: Tx) =>
    tx.updateTable('requests').set({ status: 'canceled', is_final: true }).where('name', '=', 'canceled').execute()
  expect(await overtake('canceled', cancel)).toBe('422 WORKFLOW_CANCELLED')
})

it('content that is changed under a vote is not what it was cast on', async () => {
  const policyId = await insertPolicy(world.ctx, seats(team, 2), {}, { spaceId })
  await ada.post('/workflows', { name: 'amended', workflowTemplateId: policyId })
  const amend = (tx: Tx) => tx.updateTable('requests').set({ digest: 'b' }).where('name', '=', 'amended').execute()
  expect(await overtake('amended', amend)).toBe('200 EVALUATION_IN_PROGRESS')
  const votes = await world.ctx.db
    .selectFrom('votes as v')
    .innerJoin('requests as r', 'r.id', 'v.request_id')
    .select('v.digest')
    .where('r.name', '=', 'amended')
    .execute()
  expect(votes).toEqual([{ digest: 'b' }])
})

it('a vote that meets the deletion of its space is refused, though each holds what the other waits for', async () => {
  const policyId = await insertPolicy(world.ctx, seats(team, 2), {}, { spaceId })
  await ada.post('/workflows', { name: 'doomed', workflowTemplateId: policyId })
  const outcome = await overtake(
    'doomed',
    (tx) => tx.deleteFrom('requests').where('policy_id', '=', policyId).execute(),
    (tx) => tx.deleteFrom('role_bindings').where('org_id', '=', orgId).where('principal_id', '=', ben.id).execute(),
  )
  expect(outcome).toBe('404 WORKFLOW_NOT_FOUND')
})
