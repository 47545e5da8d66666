import { execFile } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { prepareStore } from '../../src/demo/seed.ts'
import { startMessage } from '../../src/demo/start-message.ts'
import { defaultOrganization } from '../../src/identity/organization.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { startedSignIn } from '../helpers/sign-in.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

let world: World
let base: string
let databaseUrl: string
beforeAll(async () => {
  databaseUrl = await freshDatabase()
  world = await startWorld({ databaseUrl, env: { QUORATE_DEMO: '1' } })
  await world.app.listen({ host: '127.0.0.1', port: 0 })
  base = `http://127.0.0.1:${(world.app.server.address() as AddressInfo).port}`
  world.ctx.publicUrl = base
})
afterAll(() => world.close())

const idOf = async (name: string): Promise<string> => {
  const row = await world.ctx.db
    .selectFrom('principals')
    .select('id')
    .where('email', '=', `${name}@example.com`)
    .executeTakeFirstOrThrow()
  return row.id
}
const demoPerson = async (name: string): Promise<Client> => await world.signedIn(await idOf(name))

interface Run {
  readonly exit: number
  readonly output: string
  readonly complaint: string
}

const runDemo = async (args: readonly string[], url = base): Promise<Run> =>
  await new Promise((resolve) => {
    const script = fileURLToPath(new URL('../../src/cli/demo.ts', import.meta.url))
    const env = { PATH: process.env['PATH'], QUORATE_URL: url }
    execFile(process.execPath, [script, ...args], { env }, (error, output, complaint) =>
      resolve({ exit: error === null ? 0 : Number(error.code), output, complaint }),
    )
  })

describe('the demo organization (design §8)', () => {
  it('has the five people, of whom ada is the organization admin', async () => {
    for (const name of ['ada', 'ben', 'cleo', 'dana', 'eli']) {
      const { body } = await (await demoPerson(name)).get('/auth/info')
      expect([name, body.orgRole]).toEqual([name, name === 'ada' ? 'admin' : 'member'])
    }
  })

  it('has exactly ben and cleo in security, dana and eli in finance', async () => {
    const members = await world.ctx.db
      .selectFrom('memberships as m')
      .innerJoin('groups as g', 'g.id', 'm.group_id')
      .innerJoin('principals as a', 'a.id', 'm.principal_id')
      .select(['g.name as group', 'a.name as person', 'g.member_count'])
      .where('g.dialect', '=', 'native')
      .orderBy('g.name')
      .orderBy('a.name')
      .execute()
    expect(members.map(({ group, person, member_count: count }) => `${group} ${person} ${count}`)).toEqual([
      'finance Dana 2',
      'finance Eli 2',
      'security Ben 2',
      'security Cleo 2',
    ])
  })

  it('has the template Release in the space Demo: 2 of security and 1 of finance, active, version 1', async () => {
    const ada = await demoPerson('ada')
    const { body } = await ada.get('/workflow-templates/Release')
    expect(body).toMatchObject({ name: 'Release', version: '1', status: 'ACTIVE', actions: [], metadata: {} })
    expect(body.approvalRule).toMatchObject({
      type: 'AND',
      rules: [
        { type: 'GROUP_REQUIREMENT', minCount: 2 },
        { type: 'GROUP_REQUIREMENT', minCount: 1 },
      ],
    })
    const space = await ada.get(`/spaces/${body.spaceId}`)
    expect(space.body.name).toBe('Demo')
  })

  it('lets the four vote on Release and open workflows under it, and leaves the makers of the groups their managers', async () => {
    for (const name of ['ben', 'cleo', 'dana', 'eli']) {
      const { body } = await (await demoPerson(name)).get('/auth/info')
      const held = body.roles.map((role: { roleName: string }) => role.roleName).toSorted()
      const roles = ['WorkflowTemplateInstantiator', 'WorkflowTemplateVoter']
      expect([name, held]).toEqual([name, name === 'ben' || name === 'dana' ? ['GroupManager', ...roles] : roles])
    }
  })

  it('makes a stranger who signs in a member, since there is an organization admin', async () => {
    const { body } = await world.anyone.post('/auth/cli/token', await startedSignIn(world, 'stranger@example.com'))
    const info = await world.anyone.get('/auth/info', undefined, { authorization: `Bearer ${body.accessToken}` })
    expect(info.body).toMatchObject({ orgRole: 'member', groups: [], roles: [] })
  })

  it('is made once, also by processes that start together, and never in a store that has an organization', async () => {
    const count = async ({ ctx }: World) =>
      (await ctx.db.selectFrom('principals').select('id').where('kind', '=', 'human').execute()).length
    const before = await count(world)
    await prepareStore(world.ctx)
    expect(await count(world)).toBe(before)

    const shared = await freshDatabase()
    const env = { QUORATE_DEMO: '1' }
    const worlds = await Promise.all([1, 2].map(() => startWorld({ databaseUrl: shared, env })))
    for (const one of worlds) {
      expect(await count(one)).toBe(5)
      await one.close()
    }
    const bare = await freshDatabase()
    await (await startWorld({ databaseUrl: bare })).close()
    await using later = await startWorld({ databaseUrl: bare, env })
    expect(await count(later)).toBe(0)
  })

  it('tells each change in the audit log', async () => {
    const leaves = await world.ctx.db
      .selectFrom('audit_leaves')
      .select('kind')
      .where('org_id', '=', defaultOrganization.id)
      .orderBy('id')
      .limit(17)
      .execute()
    const kinds = Map.groupBy(leaves, ({ kind }) => kind)
    expect(Object.fromEntries([...kinds].map(([kind, some]) => [kind, some.length]))).toEqual({
      'organization.created': 1,
      'user.created': 5,
      'admin.added': 1,
      'group.created': 2,
      'memberships.added': 2,
      'space.created': 1,
      'template.created': 1,
      'roles.assigned': 4,
    })
  })
})

it('the start message says where, who, and what for production', () => {
  const text = startMessage(world.ctx)
  for (const part of [base, 'ada@example.com', 'eli@example.com', 'npm run demo', 'PostgreSQL']) {
    expect(text).toContain(part)
  }
})

describe('npm run demo', () => {
  it('plays the main job to its approval, saying who did what and what is missing, and may be run again', async () => {
    for (const expectedVotes of [3, 3]) {
      const { exit, output, complaint } = await runDemo([])
      expect([exit, complaint]).toEqual([0, ''])
      expect(output).toContain('security: 1 of 2, 1 more missing')
      expect(output).toContain('Ada: may not vote (ENTITY_NOT_IN_GROUP)')
      expect(output).toContain('Dana approves for finance; the workflow is now APPROVED.')
      expect(output).toContain(`Approved, with ${expectedVotes} votes`)
    }
  })

  it('with --agent a machine signs in with its key, asks, and learns what people decided', async () => {
    // The machine's proofs are made by its own clock.
    world.clock.set(new Date())
    const { exit, output, complaint } = await runDemo(['--agent', '--json'])
    expect([exit, complaint]).toEqual([0, ''])
    expect(output).toContain('got an access token bound to the key')
    expect(output).toContain('The agent has its answer: APPROVED')
    const { workflowId, agentId } = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Record<string, string>
    const request = await world.ctx.db
      .selectFrom('requests')
      .select(['status', 'requester_id'])
      .where('id', '=', workflowId ?? '')
      .executeTakeFirstOrThrow()
    expect(request).toEqual({ status: 'approved', requester_id: agentId })
  })

  it('with --json ends with one line of JSON that names the workflow and holds an access token that works', async () => {
    const { exit, output } = await runDemo(['--json'])
    expect(exit).toBe(0)
    const { workflowId, accessToken } = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Record<string, string>
    const headers = { authorization: `Bearer ${accessToken ?? ''}` }
    const answer = await world.anyone.get(`/workflows/${workflowId ?? ''}`, undefined, headers)
    expect([answer.status, answer.body.status]).toEqual([200, 'APPROVED'])
  })

  it('with --help explains itself and calls nothing', async () => {
    const { exit, output } = await runDemo(['--help'], 'http://127.0.0.1:1')
    expect(exit).toBe(0)
    expect(output).toContain('QUORATE_URL')
  })

  it('exits with 1 and says what to do when no server answers', async () => {
    const { exit, complaint } = await runDemo([], 'http://127.0.0.1:1')
    expect(exit).toBe(1)
    expect(complaint).toContain('npm start')
  })

  it('exits with 1 when the server is not the demo one', async () => {
    await using bare = await startWorld({ engine: 'postgres' })
    await bare.app.listen({ host: '127.0.0.1', port: 0 })
    bare.ctx.publicUrl = `http://127.0.0.1:${(bare.app.server.address() as AddressInfo).port}`
    const { exit, complaint } = await runDemo([], bare.ctx.publicUrl)
    expect(exit).toBe(1)
    expect(complaint).toContain('WORKFLOW_TEMPLATE_NOT_FOUND')
  })
})
