import { expect, it } from 'vitest'
import { expireRequests } from '../../src/approvals/expire-requests.ts'
import type { Stance } from '../../src/kernel/request.ts'
import { foldRequestCounts } from '../../src/store/request-list.ts'
import {
  inBatches,
  insertGroupOf,
  insertRequests,
  insertVoters,
  send,
  type SentVote,
  type Voter,
} from '../helpers/crowd.ts'
import { deadlocks } from '../helpers/deadlocks.ts'
import { dice, type Dice } from '../helpers/dice.ts'
import { removeMember } from '../helpers/facts.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { countFaults, faultsOf, loadHistories } from '../helpers/history.ts'
import { all, giveRole, insertPolicy, seats } from '../helpers/quorum.ts'
import { startWorld, type Answer, type Client, type World } from '../helpers/world.ts'

const calls = 2_500
const atOnce = 48

it('everything at once, in any order, ends without a deadlock and without a fault', async () => {
  const databaseUrl = await freshDatabase()
  const world = await startWorld({ databaseUrl })
  const { ctx } = world
  const voters = await insertVoters(
    ctx,
    Array.from({ length: 24 }, () => ({})),
  )
  const ids = voters.map(({ id }) => id)
  const requester = voters[0] as Voter
  for (const role of [
    'OrgWideWorkflowTemplateInstantiator',
    'OrgWideWorkflowFullAccess',
    'OrgWideWorkflowTemplateWrite',
  ]) {
    await giveRole(ctx, requester.id, role)
  }
  const groups = Object.fromEntries(
    await Promise.all([0, 1, 2, 3].map(async () => [await insertGroupOf(ctx, ids), ids] as const)),
  )
  const [a, b, c, d] = Object.keys(groups) as [string, string, string, string]
  const policies = await Promise.all([
    insertPolicy(ctx, all(seats(a, 8), seats(b, 8))),
    insertPolicy(ctx, all(seats(c, 9), seats(d, 6)), { veto: 'final' }),
    insertPolicy(ctx, [
      { binding: false, rule: seats(a, 9) },
      { binding: true, rule: seats(d, 9) },
    ]),
    insertPolicy(ctx, seats(b, 12), { naturalPersons: true }),
  ])
  await giveWireRule(world, a)
  const soon = new Date(ctx.clock.now().getTime() + 1_000)
  const requests = (
    await Promise.all([
      ...policies.map((policy) => insertRequests(ctx, policy, requester, 8)),
      ...policies.map((policy) => insertRequests(ctx, policy, requester, 2, soon)),
    ])
  ).flat()
  const clients = await Promise.all(ids.map((id) => world.signedIn(id)))
  const commander = clients[0] as Client
  const admin = await world.person('Admin', { admin: true })

  const sent: SentVote[] = []
  const answers: Answer[] = []
  const chance: Dice = dice(1)
  const stance = (): Stance => (['veto', 'withdraw', 'withdraw'][chance.roll(40)] as Stance | undefined) ?? 'approve'
  const deeds = Array.from({ length: calls }, (_, index) => async () => {
    const id = chance.pick(requests)
    const what = chance.roll(200)
    if (what < 170) {
      sent.push(
        await send(
          chance.pick(clients),
          id,
          stance(),
          [a, b, c, d].filter(() => chance.roll(4) > 0),
        ),
      )
    } else if (what < 173) answers.push(await removeMember(admin, chance.pick([a, b, c, d]), chance.pick(ids)))
    else if (what < 175) answers.push(await commander.post(`/v1/workflows/${id}/cancel`))
    else if (what < 182) answers.push(await commander.post(`/v1/workflows/${id}/close-stage`))
    else if (what < 188) {
      const body = { name: `new-${index}`, workflowTemplateId: chance.pick(policies) }
      answers.push(
        await commander.post('/workflows', body, chance.roll(2) === 0 ? {} : { 'Idempotency-Key': `${index}` }),
      )
    } else if (what < 192) await expireRequests(ctx)
    else if (what < 196) await foldRequestCounts(ctx.db)
    else if (what < 197 && index > calls / 2) {
      const cancelWorkflows = chance.roll(2) === 0
      answers.push(await admin.post(`/workflow-templates/${chance.pick(policies)}/deprecate`, { cancelWorkflows }))
    } else answers.push(await chance.pick(clients).get(`/workflows/${id}/canVote`))
    if (index === calls / 2) world.clock.set(soon)
  })
  await inBatches(deeds, atOnce, (deed) => deed())

  expect(answers.filter(({ status }) => status >= 500)).toEqual([])
  expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([200, 422]))
  const histories = await loadHistories(ctx, requests)
  expect(histories.flatMap((history) => faultsOf(history, { voters, groups }, sent))).toEqual([])
  expect(await countFaults(ctx)).toEqual([])
  // Not in vain: every end was reached by some request.
  const reached = new Set(histories.map(({ request }) => request.status))
  expect([...reached].toSorted()).toEqual(expect.arrayContaining(['approved', 'canceled', 'expired']))
  await world.close()
  // A deadlock that a retry hid would be counted here; connections report when they end.
  await expect.poll(() => deadlocks(databaseUrl), { timeout: 10_000 }).toBe(0)
})

/** Two ends meet at the policy: each counts its request there, and asks whether it was the last. */
it('the last requests of a template out of use end at once without a deadlock', async () => {
  const databaseUrl = await freshDatabase()
  const world = await startWorld({ databaseUrl })
  const { ctx } = world
  const voters = await insertVoters(
    ctx,
    Array.from({ length: 3 }, () => ({})),
  )
  const group = await insertGroupOf(
    ctx,
    voters.map(({ id }) => id),
  )
  const clients = await Promise.all(voters.map(({ id }) => world.signedIn(id)))
  const [first, second, requester] = clients as [Client, Client, Client]
  const admin = await world.person('Admin', { admin: true })
  for (let round = 0; round < 40; round++) {
    const policy = await insertPolicy(ctx, seats(group, 1))
    await giveWireRule(world, group)
    const [one, two, three] = (await insertRequests(ctx, policy, voters[2] as Voter, 3)) as [string, string, string]
    expect((await admin.post(`/workflow-templates/${policy}/deprecate`, {})).status).toBe(200)
    const [yes, also, cancel] = await Promise.all([
      send(first, one, 'approve', [group]),
      send(second, two, 'approve', [group]),
      requester.post(`/v1/workflows/${three}/cancel`),
    ])
    expect([yes.said, also.said, cancel.status]).toEqual(['APPROVED', 'APPROVED', 200])
    const { status } = await ctx.db
      .selectFrom('policies')
      .select('status')
      .where('id', '=', policy)
      .executeTakeFirstOrThrow()
    expect(status).toBe('deprecated')
  }
  expect(await countFaults(ctx)).toEqual([])
  await world.close()
  await expect.poll(() => deadlocks(databaseUrl), { timeout: 10_000 }).toBe(0)
})

it('the sweep and the end of a template with its requests do not wait for each other in a ring', async () => {
  const databaseUrl = await freshDatabase()
  const world = await startWorld({ databaseUrl })
  const { ctx } = world
  const voters = await insertVoters(ctx, [{}])
  const group = await insertGroupOf(ctx, [voters[0]?.id as string])
  const admin = await world.person('Admin', { admin: true })
  const ends = new Set<string>()
  for (let round = 0; round < 15; round++) {
    const policy = await insertPolicy(ctx, seats(group, 1))
    await giveWireRule(world, group)
    const requests = await insertRequests(ctx, policy, voters[0] as Voter, 30, world.clock.now())
    const [ended] = await Promise.all([
      admin.post(`/workflow-templates/${policy}/deprecate`, { cancelWorkflows: true }),
      expireRequests(ctx),
    ])
    expect(ended.status).toBe(200)
    const rows = await ctx.db.selectFrom('requests').select('status').where('id', 'in', requests).execute()
    for (const { status } of rows) ends.add(status)
  }
  expect([...ends]).toEqual(['expired'])
  expect(await countFaults(ctx)).toEqual([])
  await world.close()
  await expect.poll(() => deadlocks(databaseUrl), { timeout: 10_000 }).toBe(0)
})

/** Gives every policy a rule in the API's own form, which its answers show. */
async function giveWireRule({ ctx }: World, groupId: string): Promise<void> {
  const approvalRule = { type: 'GROUP_REQUIREMENT', groupId, minCount: 1 }
  await ctx.db
    .updateTable('policies')
    .set({ rule: JSON.stringify({ rules: { approvalRule }, options: null }) })
    .execute()
}
