import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agent } from '../helpers/directory.ts'
import { apiKeys, madeKey } from '../helpers/machine.ts'
import { insertGroup, insertSpace } from '../helpers/quorum.ts'
import { templates } from '../helpers/templates.ts'
import { startWorkflowWorld, workflows, type WorkflowWorld } from '../helpers/workflows.ts'
import type { Answer } from '../helpers/world.ts'

let world: WorkflowWorld
beforeAll(async () => void (world = await startWorkflowWorld({ env: { QUORATE_WEBHOOK_ALLOW: '127.0.0.1' } })))
afterAll(() => world.close())

/** Counts calls, whatever becomes of them. */
const notOfTheChange = new Set(['call_counters', 'kysely_migration', 'kysely_migration_lock', 'agent_challenges'])

/** Every row of every table of ours, and of the queue. */
async function everything(): Promise<Record<string, unknown>> {
  const { db } = world.ctx
  const { rows: tables } = await sql<{ schema: string; name: string }>`
    select table_schema as schema, table_name as name from information_schema.tables
    where table_type = 'BASE TABLE' and (table_schema = 'public' or table_schema = 'jobs' and table_name = 'job')
    order by 1, 2`.execute(db)
  const found: Record<string, unknown> = {}
  for (const { schema, name } of tables.filter((table) => !notOfTheChange.has(table.name))) {
    const table = sql.table(`${schema}.${name}`)
    const { rows } = await sql<{ row: string }>`select to_jsonb(t)::text as row from ${table} t order by 1`.execute(db)
    found[name] = rows.map(({ row }) => row)
  }
  return found
}

type Change = readonly [name: string, make: () => Promise<Answer>]

/** Valid calls, each of which changes something, in an order in which each can be made once. */
async function changes(): Promise<Change[]> {
  const { ctx, ada, ben, dan, eli, cleo, guards } = world
  const open = await world.opened({ approvalRule: world.rule(2) })
  const second = await world.opened({ approvalRule: world.rule(3) })
  const policy = await world.made()
  const spare = await world.made()
  const group = await insertGroup(ctx, [eli.id])
  const space = await insertSpace(ctx, 'to be deleted')
  const bot = await agent(world, 'bot', ada)
  const gone = await world.person('Fred')
  expect(await ada.post(`/v1/users/${gone.id}/disable`)).toMatchObject({ status: 204 })
  const { id: keyId } = await madeKey(ada)
  const newKey = { name: 'other', scopes: ['native:read'] }
  const member = (id: string) => ({ entities: [{ entity: { entityType: 'human', entityId: id } }] })
  const role = { roles: [{ roleName: 'OrgWideSpaceManager', scope: { type: 'org' } }] }
  const voter = { roles: [{ roleName: 'OrgWideWorkflowTemplateVoter', scope: { type: 'org' } }] }
  const voteBody = { voteType: { type: 'APPROVE', votedForGroups: [guards] } }
  return [
    ['a vote', () => cleo.post(`${workflows}/${open}/vote`, voteBody)],
    ['the vote that decides', () => dan.post(`${workflows}/${open}/vote`, voteBody)],
    ['a veto', () => cleo.post(`${workflows}/${second}/vote`, { voteType: { type: 'VETO' } })],
    ['a cancellation', () => ada.post(`/v1/workflows/${second}/cancel`)],
    ['a request', () => ada.post(workflows, world.ask(policy.id))],
    ['a template', () => ada.post(templates, world.draft())],
    ['a template changed', () => ada.put(`${templates}/${policy.id}`, { description: 'other' })],
    ['a template deprecated', () => ada.post(`${templates}/${spare.id}/deprecate`, {})],
    ['a group', () => ada.post('/groups', { name: 'new-group' })],
    ['members added', () => ada.post(`/groups/${group}/entities`, member(dan.id))],
    ['members removed', () => ada.delete(`/groups/${group}/entities`, member(eli.id))],
    ['a space', () => ada.post('/spaces', { name: 'new space' })],
    ['a space deleted', () => ada.delete(`/spaces/${space}`)],
    ['roles given', () => ada.put(`/users/${ben.id}/roles`, role)],
    ['roles taken', () => ada.delete(`/users/${dan.id}/roles`, voter)],
    ['roles of an agent given', () => ada.put(`/agents/${bot.id}/roles`, role)],
    ['a user', () => ada.post('/users', { email: 'new@example.com', displayName: 'New', orgRole: 'member' })],
    ['a user disabled', () => ada.post(`/v1/users/${eli.id}/disable`)],
    ['a user enabled', () => ada.post(`/v1/users/${gone.id}/enable`)],
    ['an admin', () => ada.post('/organization/default/admins', { email: 'ben@example.com' })],
    ['an agent registered', () => ada.post('/agents/register', { agentName: 'another' })],
    ['an agent revoked', () => ada.post(`/v1/agents/${bot.id}/revoke`)],
    ['an API key', () => ada.post(apiKeys, newKey)],
    ['an API key revoked', () => ada.delete(`${apiKeys}/${keyId}`)],
    ['a webhook key', () => ada.post('/v1/webhook-keys')],
  ]
}

it('does nothing of which it cannot write the leaf: no audit, no service', async () => {
  const { db } = world.ctx
  const all = await changes()
  await sql`create function refuse_leaves() returns trigger language plpgsql as $$
    begin raise exception 'no leaf'; end $$`.execute(db)
  await sql`create trigger refuse_leaves before insert on audit_leaves for each row execute function refuse_leaves()`.execute(
    db,
  )
  const before = await everything()
  for (const [name, make] of all) {
    expect(await make(), name).toMatchObject({ status: 500, body: { code: 'UNKNOWN_ERROR' } })
    expect(await everything(), name).toEqual(before)
  }

  // Each would have been done, but for its leaf.
  await sql`drop trigger refuse_leaves on audit_leaves`.execute(db)
  for (const [name, make] of all) {
    const leaves = (await db.selectFrom('audit_leaves').select('id').execute()).length
    const { status, body } = await make()
    expect(status, `${name}: ${JSON.stringify(body)}`).toBeLessThan(300)
    expect((await db.selectFrom('audit_leaves').select('id').execute()).length, name).toBeGreaterThan(leaves)
  }
})
