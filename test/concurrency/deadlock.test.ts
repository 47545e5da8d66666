import { Client as PostgresClient } from 'pg'
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
import { dice, type Dice } from '../helpers/dice.ts'
import { removeMember } from '../helpers/facts.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { countFaults, faultsOf, loadHistories } from '../helpers/history.ts'
import { all, giveRole, insertPolicy, seats } from '../helpers/quorum.ts'
import { startWorld, type Answer, type Client } from '../helpers/world.ts'

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

async function deadlocks(databaseUrl: string): Promise<number> {
  const client = new PostgresClient({ connectionString: databaseUrl })
  await client.connect()
  const { rows } = await client.query('select deadlocks::int from pg_stat_database where datname = current_database()')
  await client.end()
  return (rows[0] as { deadlocks: number }).deadlocks
}
