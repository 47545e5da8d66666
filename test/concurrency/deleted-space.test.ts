import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { giveRole, insertGroup, insertPolicy, insertSpace, orgId, seats } from '../helpers/quorum.ts'
import { startWorld } from '../helpers/world.ts'

it('a vote that meets the deletion of its space is refused, though each holds what the other waits for', async () => {
  await using world = await startWorld({ databaseUrl: await freshDatabase() })
  const { ctx } = world
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const spaceId = await insertSpace(ctx)
  await giveRole(ctx, ben.id, 'SpaceWideWorkflowTemplateVoter', { type: 'space', id: spaceId })
  const team = await insertGroup(ctx, [ben.id])
  const policyId = await insertPolicy(ctx, seats(team, 2), {}, { spaceId })
  await ada.post('/workflows', { name: 'doomed', workflowTemplateId: policyId })

  const vote = { voteType: { type: 'APPROVE', votedForGroups: [team] } }
  const answer = await ctx.db.transaction().execute(async (tx) => {
    await tx.deleteFrom('requests').where('org_id', '=', orgId).where('policy_id', '=', policyId).execute()
    // The vote has read the request, holds the voter and now waits for the row that is being deleted.
    const voting = ben.post('/workflows/doomed/vote', vote)
    const waiting = sql<{ count: string }>`select count(*) as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
    await expect.poll(async () => Number((await waiting.execute(ctx.db)).rows[0]?.count)).toBe(1)
    await tx.deleteFrom('role_bindings').where('org_id', '=', orgId).where('principal_id', '=', ben.id).execute()
    return { voting }
  })
  const { status, body } = await answer.voting
  expect({ status, code: body.code }).toEqual({ status: 404, code: 'WORKFLOW_NOT_FOUND' })
})
