import { afterAll, beforeAll, expect, test } from 'vitest'
import { quota } from '../../helpers/directory.ts'
import { countFaults } from '../../helpers/history.ts'
import { insertGroup } from '../../helpers/quorum.ts'
import { startWorkflowWorld, workflows, type WorkflowWorld } from '../../helpers/workflows.ts'
import type { Answer } from '../../helpers/world.ts'

// Many calls at once on a real PostgreSQL: the embedded engine has one connection, so nothing there ever meets.
let world: WorkflowWorld
beforeAll(async () => void (world = await startWorkflowWorld({ engine: 'postgres' })))
afterAll(async () => {
  expect(await countFaults(world.ctx)).toEqual([])
  await world.close()
})

const times = async (count: number, call: (index: number) => Promise<Answer>) =>
  await Promise.all(Array.from({ length: count }, async (_, index) => await call(index)))
const tally = (answers: readonly Answer[]) => {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const key = status < 300 ? String(status) : `${status} ${body.code}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}
const votesOf = async (id: string) => (await world.ben.get(`${workflows}/${id}/votes`)).body.votes

test.each(['WorkflowTemplate', 'Space', 'Org'])(
  'the last places of a quota on the %s are taken once',
  async (scope) => {
    const { id, spaceId } = await world.made()
    const target = { WorkflowTemplate: id, Space: spaceId, Org: undefined }[scope]
    const lift = await quota(world, 'MAX_CONCURRENT_WORKFLOWS', 3, scope, target)
    for (let round = 0; round < 3; round++) {
      const answers = await times(8, async () => await world.ada.post(workflows, world.ask(id)))
      expect(tally(answers)).toEqual({ '201': 3, '403 QUOTA_EXCEEDED': 5 })
      const { data } = (await world.ben.get(`${workflows}?workflowTemplateIdentifier=${id}&limit=100`)).body
      expect(data).toHaveLength(3 * (round + 1))
      for (const each of data) await world.ada.post(`/v1/workflows/${each.id}/cancel`)
    }
    await lift()
  },
)

test('one of many workflows gets the name', async () => {
  const { id } = await world.made()
  const answers = await times(8, async () => await world.ada.post(workflows, world.ask(id, { name: 'wanted' })))
  expect(tally(answers)).toEqual({ '201': 1, '409 WORKFLOW_ALREADY_EXISTS': 7 })
})

test('one Idempotency-Key opens one workflow, and casts one vote', async () => {
  const { id: templateId } = await world.made({ approvalRule: world.rule(9) })
  const asked = world.ask(templateId)
  const opened = await times(8, async () => await world.ada.post(workflows, asked, { 'idempotency-key': 'open' }))
  expect(tally(opened)).toEqual({ '201': 8 })
  const locations = new Set(opened.map((answer) => String(answer.headers['location'])))
  expect(locations.size).toBe(1)
  const id = [...locations][0]?.split('/').at(-1) ?? ''
  const body = { voteType: { type: 'APPROVE', votedForGroups: [world.guards] } }
  const voted = await times(
    8,
    async () => await world.cleo.post(`${workflows}/${id}/vote`, body, { 'idempotency-key': 'vote' }),
  )
  expect(tally(voted)).toEqual({ '200': 8 })
  expect(await votesOf(id)).toHaveLength(1)
})

test('one step-up token is good for one of many votes, on one workflow or on several', async () => {
  const keeper = await world.voter('Keeper')
  const keepers = await insertGroup(world.ctx, [keeper.id])
  const approvalRule = { ...world.rule(9, keepers), requireHighPrivilege: true }
  const [one, other] = [await world.opened({ approvalRule }), await world.opened({ approvalRule })]
  for (let round = 1; round <= 3; round++) {
    const client = await world.steppedUp(keeper)
    const answers = await times(8, async (index) =>
      world.vote(client, index % 2 === 0 ? one : other, 'APPROVE', [keepers]),
    )
    expect(tally(answers)).toEqual({ '200': 1, '403 STEP_UP_TOKEN_ALREADY_USED': 7 })
    expect([...(await votesOf(one)), ...(await votesOf(other))]).toHaveLength(round)
  }
})

test('no more votes are stored than the quota allows', async () => {
  const id = await world.opened({ approvalRule: world.rule(9) })
  await quota(world, 'MAX_VOTES_PER_WORKFLOW', 4, 'Workflow', id)
  const voters = [world.cleo, world.dan, world.eli]
  const answers = await times(12, async (index) => await world.vote(voters[index % 3] ?? world.cleo, id, 'APPROVE'))
  expect(tally(answers)).toEqual({ '200': 4, '403 QUOTA_EXCEEDED': 8 })
  expect(await votesOf(id)).toHaveLength(4)
})

test('a workflow is canceled once, and nothing happens to it after', async () => {
  const id = await world.opened({ approvalRule: world.rule(9) })
  const answers = await times(8, async (index) =>
    index % 2 === 0 ? await world.ada.post(`/v1/workflows/${id}/cancel`) : await world.vote(world.cleo, id, 'VETO'),
  )
  const canceled = answers.filter((_, index) => index % 2 === 0)
  expect(tally(canceled)).toEqual({ '200': 1, '422 WORKFLOW_CANCELLED': 3 })
  for (const { status, body } of answers.filter((_, index) => index % 2 === 1)) {
    expect([200, 422]).toContain(status)
    expect(['REJECTED', 'WORKFLOW_CANCELLED']).toContain(body.workflowStatus ?? body.code)
  }
  expect(await world.statusOf(id)).toBe('CANCELED')
  expect(await votesOf(id)).toHaveLength(answers.filter(({ body }) => body.workflowStatus === 'REJECTED').length)
})
