import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ErasureRefused } from '../../src/audit/gone.ts'
import { eraseText } from '../../src/audit/erase-text.ts'
import { sealNow } from '../../src/audit/seal.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { faultsOfLog, logOf } from '../helpers/log.ts'
import { orgId } from '../helpers/quorum.ts'
import { runMain } from '../helpers/server-process.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'
import { startWorld, type Client } from '../helpers/world.ts'

const secret = 'a-text-to-forget'

describe.each(['postgres', 'pglite'] as const)('erasing on %s', (engine) => {
  let world: WorkflowWorld
  beforeAll(async () => void (world = await startWorkflowWorld({ engine })))
  afterAll(() => world.close())

  const erase = (id: string, seq: number | null = null) => eraseText(world.ctx, { organization: 'default', id, seq })
  const row = async (table: string, id: string) =>
    (await sql<Record<string, unknown>>`select * from ${sql.table(table)} where id = ${id}`.execute(world.ctx.db))
      .rows[0]
  /** Where the secret stands in the store. */
  const places = async () => {
    const tables = [
      'people',
      'principals',
      'organization_admins',
      'groups',
      'spaces',
      'policies',
      'requests',
      'votes',
      'api_keys',
      'role_bindings',
      'audit_leaves',
    ]
    const found = await Promise.all(
      tables.map(async (table) => {
        const { rows } = await sql`select from ${sql.table(table)} t where t::text like ${`%${secret}%`}`.execute(
          world.ctx.db,
        )
        return rows.length > 0 ? [table] : []
      }),
    )
    return found.flat()
  }
  const told = async (id: string) => {
    const { rows } = await sql<{ content: string; private: unknown }>`select content, private from audit_leaves
      where subject_id = ${id} and kind = 'text.erased' order by id`.execute(world.ctx.db)
    return rows.map(({ content, private: kept }) => {
      const { facts, actor } = JSON.parse(content)
      return [facts, actor, kept]
    })
  }
  const system = { kind: 'system' }
  const created = async (by: Client, path: string, body: object): Promise<string> => {
    const { status, body: answer, headers } = await by.post(path, body)
    expect([status, answer]).toEqual([201, expect.anything()])
    return answer.id ?? String(headers['location']).split('/').at(-1)
  }

  it('forgets a group, and proves its leaf as before', async () => {
    const id = await created(world.ada, '/groups', { name: secret, description: `${secret}, too` })
    await sealNow(world.ctx, orgId)
    const before = await logOf(world.ctx.db)
    expect(await places()).toEqual(['groups', 'audit_leaves'])
    expect(await erase(id)).toEqual({ what: 'group', fields: ['description', 'name'], leaves: 1 })
    expect(await places()).toEqual([])
    expect(await row('groups', id)).toMatchObject({ name: `erased:${id}`, description: null })
    expect(await told(id)).toEqual([[{ fields: ['description', 'name'] }, system, null]])
    await sealNow(world.ctx, orgId)
    expect((await logOf(world.ctx.db)).slice(0, before.length)).toEqual(before)
    expect(await faultsOfLog(world.ctx)).toEqual([])
  })

  it('finds nothing left the second time, and leaves no second leaf', async () => {
    const id = await created(world.ada, '/groups', { name: secret })
    await erase(id)
    expect(await erase(id)).toEqual({ what: 'group', fields: [], leaves: 0 })
    expect(await told(id)).toHaveLength(1)
  })

  it('forgets a person who is disabled, their address wherever it stands', async () => {
    const { id } = await world.person(secret, { admin: true })
    await expect(erase(id)).rejects.toThrow('signs in with their e-mail address: disable them first')
    expect((await places()).length).toBeGreaterThan(0)
    expect(await told(id)).toEqual([])
    expect((await world.ada.post(`/v1/users/${id}/disable`)).status).toBeLessThan(300)
    expect(await erase(id)).toMatchObject({ what: 'user', fields: ['email', 'name'] })
    expect(await places()).toEqual([])
    expect(await row('principals', id)).toMatchObject({ name: 'erased', email: `erased:${id}` })
    expect(await told(id)).toEqual([[{ fields: ['email', 'name'] }, system, null]])
  })

  it('forgets a request and the reason of a vote, each by itself', async () => {
    const id = await world.opened({}, { description: secret, metadata: { any: secret } })
    const vote = { voteType: { type: 'APPROVE', votedForGroups: [world.guards] }, reason: secret }
    expect(await world.cleo.post(`/workflows/${id}/vote`, vote)).toMatchObject({ status: 200 })
    expect(await erase(id)).toMatchObject({ what: 'request', fields: ['description', 'metadata', 'name'] })
    expect(await places()).toEqual(['votes'])
    expect(await row('requests', id)).toMatchObject({ name: `erased:${id}`, description: null, metadata: {} })
    expect(await erase(id, 1)).toEqual({ what: 'vote 1 on the request', fields: ['reason', 'reason_salt'], leaves: 0 })
    expect(await places()).toEqual([])
    expect((await told(id)).map(([facts]) => facts)).toEqual([
      { fields: ['description', 'metadata', 'name'] },
      { fields: ['reason', 'reason_salt'], seq: 1 },
    ])
    expect(await erase(id, 1)).toMatchObject({ fields: [] })
    await expect(erase(id, 2)).rejects.toThrow('There is no vote 2')
    const receipt = await world.ada.get(`/v1/workflows/${id}/receipt`)
    expect(receipt.status).toBe(200)
  })

  it('forgets a template with all its versions and the names of roles on it, once it is over', async () => {
    const { ada, ctx } = world
    const stages = [{ name: secret, approvalRule: world.rule() }]
    const first = await world.made({
      name: secret,
      description: secret,
      metadata: { any: secret },
      approvalRule: undefined,
      stages,
    })
    const other = await world.made({ approvalRule: world.rule() })
    const roles = [first.id, other.id].map((workflowTemplateId) => ({
      roleName: 'WorkflowTemplateVoter',
      scope: { type: 'workflow_template', workflowTemplateId },
    }))
    expect((await ada.put(`/users/${world.dan.id}/roles`, { roles })).status).toBeLessThan(300)
    const second = (await ada.put(`/workflow-templates/${first.id}`, { description: `${secret} 2` })).body.id
    expect(await places()).toEqual(['policies', 'role_bindings', 'audit_leaves'])
    await expect(erase(first.id)).rejects.toThrow('is in use under its name')
    expect((await ada.post(`/workflow-templates/${second}/deprecate`, { cancelWorkflows: true })).status).toBeLessThan(
      300,
    )

    const version = await ctx.db
      .selectFrom('principals')
      .select('eligibility_version')
      .where('id', '=', world.dan.id)
      .executeTakeFirstOrThrow()
    expect(await erase(second)).toMatchObject({
      what: 'template',
      fields: ['description', 'metadata', 'name', 'stages'],
    })
    expect(await places()).toEqual([])
    for (const id of [first.id, second]) {
      expect(await row('policies', id)).toMatchObject({
        name: `erased:${first.id}`,
        description: null,
        metadata: {},
        stages: [{ name: 'erased' }],
      })
      expect((await told(id)).map(([facts]) => facts)).toEqual([
        { fields: ['description', 'metadata', 'name', 'stages'] },
      ])
    }
    // The role is still on the template, whoever remembers the holder is told, and what else the leaf holds is kept.
    const { rows } =
      await sql`select scope_id from role_bindings where principal_id = ${world.dan.id} and scope_id like 'erased:%'`.execute(
        ctx.db,
      )
    expect(rows).toEqual([{ scope_id: `erased:${first.id}` }])
    const after = await ctx.db
      .selectFrom('principals')
      .select('eligibility_version')
      .where('id', '=', world.dan.id)
      .executeTakeFirstOrThrow()
    expect(after.eligibility_version).toBeGreaterThan(version.eligibility_version)
    const { rows: kept } = await sql<{ private: object }>`select private from audit_leaves
      where kind = 'roles.assigned' and subject_id = ${world.dan.id} order by id desc limit 1`.execute(ctx.db)
    expect(Object.keys(kept[0]?.private ?? {})).toEqual(['roles[1].templateName'])
    expect(await erase(first.id)).toMatchObject({ fields: [] })
  })

  it.each(['no organization', 'no subject'])('names what is not there: %s', async (what) => {
    const organization = what === 'no organization' ? 'elsewhere' : orgId
    const nobody = eraseText(world.ctx, { organization, id: world.ctx.newId(), seq: null })
    await expect(nobody).rejects.toThrow(ErasureRefused)
  })
})

it('the command says what it erased, and is refused in one line', { timeout: 60_000 }, async () => {
  const databaseUrl = await freshDatabase()
  const env = { DATABASE_URL: databaseUrl }
  const run = async (...words: string[]) => {
    const command = runMain(env, 'erase', ...words)
    return [await command.exited, command.printed()]
  }
  await using world = await startWorld({ databaseUrl })
  const { id } = await world.person('Ada', { admin: true })
  expect(await run('--organization', 'default', id)).toEqual([
    1,
    expect.stringMatching(/^quorate erase: The user .* disable them first/),
  ])
  await sql`update principals set disabled_at = now() where id = ${id}`.execute(world.ctx.db)
  expect(await run('--organization', orgId, id)).toEqual([
    0,
    `Erased of the user ${id}: email, name, and the texts beside 1 leaves.\n`,
  ])
  expect(await run('--organization', orgId, id)).toEqual([0, `There is nothing left to erase of the user ${id}.\n`])
  expect(await run('--help')).toEqual([0, expect.stringMatching(/^quorate erase --organization ORG ID/)])
  expect(await run(id)).toEqual([
    1,
    'quorate: "quorate erase" needs --organization; "quorate erase --help" tells more.\n',
  ])
  expect(await run('--organization', 'default', 'ada')).toEqual([1, expect.stringContaining('needs the id')])
})
