import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signAccessToken } from '../../../src/identity/access-token.ts'
import { agent } from '../../helpers/directory.ts'
import { removeMember } from '../../helpers/facts.ts'
import { giveRole, insertGroup } from '../../helpers/quorum.ts'
import { expectRefusal, nowhere } from '../../helpers/templates.ts'
import type { Client } from '../../helpers/world.ts'
import { refusals, startWorkflowWorld, storedIn, type WorkflowWorld } from '../../helpers/workflows.ts'

let world: WorkflowWorld
beforeAll(async () => void (world = await startWorkflowWorld()))
afterAll(() => world.close())

const url = (id: string) => `/v1/workflows/${id}/explain`
const explained = async (id: string, client: Client = world.ada) => {
  const answer = await client.get(url(id))
  expect(answer.status).toBe(200)
  return answer.body
}
/** The ids of each finishing set, in an order of ours. */
const finishing = async (id: string, client?: Client) => {
  const { pending } = await explained(id, client)
  return pending.finishingSets.map((set: { id: string }[]) => set.map((each) => each.id).toSorted(compare))
}
const compare = (a: string, b: string) => a.localeCompare(b)
const sets = (...of: Client[][]) =>
  expect.toSatisfy((given: string[][]) => {
    const text = (all: readonly (readonly string[])[]) => all.map((set) => set.join()).toSorted(compare)
    return (
      JSON.stringify(text(given)) === JSON.stringify(text(of.map((set) => set.map(({ id }) => id).toSorted(compare))))
    )
  })

refusals('GET /v1/workflows/{workflowId}/explain', () => world, [
  ...[nowhere, 'no-such-name', '01890000-0000-4000-8000-000000000000'].map(
    (key) =>
      [
        `an unknown workflow: ${key}`,
        404,
        'WORKFLOW_NOT_FOUND',
        undefined,
        () => () => world.ada.get(url(key)),
      ] as const,
  ),
  ['no token', 401, 'MISSING_JWT_TOKEN', undefined, () => () => world.anyone.get(url(nowhere))],
])

describe("another organization's workflow", () => {
  const routes = [
    ['get', (key: string) => `/workflows/${key}`],
    ['get', (key: string) => `/workflows/${key}/canVote`],
    ['get', (key: string) => `/workflows/${key}/votes`],
    ['get', url],
    ['post', (key: string) => `/workflows/${key}/vote`],
    ['post', (key: string) => `/v1/workflows/${key}/cancel`],
    ['post', (key: string) => `/v1/workflows/${key}/close-stage`],
  ] as const

  it('is 404 WORKFLOW_NOT_FOUND on every route, by id and by name, and not in the list', async () => {
    const headers = { authorization: `Bearer ${await strangersToken()}` }
    const id = await world.opened({}, { name: 'ours' })
    const before = await storedIn(world)
    for (const [method, path] of routes) {
      for (const key of [id, 'ours']) {
        const body = method === 'post' ? { voteType: { type: 'VETO' } } : undefined
        expectRefusal(await world.anyone[method](path(key), body, headers), 404, 'WORKFLOW_NOT_FOUND')
      }
    }
    expect((await world.anyone.get('/workflows', undefined, headers)).body).toMatchObject({ data: [] })
    expect(await storedIn(world)).toEqual(before)
  })

  it('nor can a workflow be opened under its templates', async () => {
    const headers = { authorization: `Bearer ${await strangersToken()}` }
    const { id: templateId } = await world.made()
    const answer = await world.anyone.post('/workflows', world.ask(templateId), headers)
    expectRefusal(answer, 400, 'WORKFLOW_TEMPLATE_NOT_FOUND', 'workflowTemplateId')
  })
})

/** An access token for an agent of another organization. */
async function strangersToken(): Promise<string> {
  const { db, keys, newId } = world.ctx
  const [orgId, principalId, created_at] = [newId(), newId(), world.clock.now()]
  await db.insertInto('organizations').values({ id: orgId, name: orgId, created_at }).execute()
  const principal = { kind: 'agent', name: 'stranger', email: null } as const
  await db
    .insertInto('principals')
    .values({ ...principal, org_id: orgId, id: principalId, created_at })
    .execute()
  return await signAccessToken(keys.token, world.clock, { ...principal, orgId, principalId, isAdmin: false })
}

describe('GET /v1/workflows/{workflowId}/explain 200', () => {
  it('tells what is missing branch by branch, what stands, and who could finish it', async () => {
    const chief = await world.voter('Chief')
    const board = await insertGroup(world.ctx, [chief.id])
    const approvalRule = {
      type: 'AND',
      rules: [
        world.rule(2),
        { type: 'OR', rules: [{ ...world.rule(1, board), requireHighPrivilege: true }, world.rule(3)] },
      ],
    }
    const id = await world.opened({ approvalRule }, { name: 'explain-me' })
    await world.voted(world.cleo, id, 'APPROVE')
    const body = await explained('explain-me')
    expect(body).toEqual({
      workflowStatus: 'EVALUATION_IN_PROGRESS',
      expiresAt: '2026-12-21T12:00:00.000Z',
      approvals: [{ voterId: world.cleo.id, countsForGroups: [world.guards] }],
      pending: {
        stage: 0,
        rule: {
          type: 'AND',
          held: 0,
          needed: 2,
          missing: 2,
          satisfied: false,
          satisfiable: true,
          rules: [
            {
              type: 'GROUP_REQUIREMENT',
              groupId: world.guards,
              requireHighPrivilege: false,
              held: 1,
              needed: 2,
              missing: 1,
              satisfied: false,
              satisfiable: true,
            },
            {
              type: 'OR',
              held: 0,
              needed: 1,
              missing: 1,
              satisfied: false,
              satisfiable: true,
              rules: [
                {
                  type: 'GROUP_REQUIREMENT',
                  groupId: board,
                  requireHighPrivilege: true,
                  held: 0,
                  needed: 1,
                  missing: 1,
                  satisfied: false,
                  satisfiable: true,
                },
                {
                  type: 'GROUP_REQUIREMENT',
                  groupId: world.guards,
                  requireHighPrivilege: false,
                  held: 1,
                  needed: 3,
                  missing: 2,
                  satisfied: false,
                  satisfiable: true,
                },
              ],
            },
          ],
        },
        vetoes: 0,
        finishingSets: expect.any(Array),
        exact: true,
        nobodyCan: false,
        laterStages: [],
      },
    })
    expect(await finishing(id)).toEqual(sets([chief, world.dan], [chief, world.eli], [world.dan, world.eli]))
    await world.voted(world.dan, id, 'APPROVE')
    expect(await finishing(id)).toEqual(sets([chief], [world.eli]))
  })

  it('a finishing set does finish it', async () => {
    const id = await world.opened({ approvalRule: world.rule(3) })
    await world.voted(world.eli, id, 'APPROVE')
    const [set] = await finishing(id)
    const clients = [world.cleo, world.dan, world.eli].filter((client) => set.includes(client.id))
    expect(clients).toHaveLength(2)
    for (const client of clients) await world.vote(client, id, 'APPROVE')
    expect(await world.statusOf(id)).toBe('APPROVED')
  })

  it('shows at most twenty sets', async () => {
    const many: Client[] = []
    for (let index = 0; index < 9; index++) many.push(await world.voter(`Many${index}`))
    const team = await insertGroup(
      world.ctx,
      many.map(({ id }) => id),
    )
    const id = await world.opened({ approvalRule: world.rule(3, team) })
    const found = await finishing(id)
    expect(found.length).toBeGreaterThan(0)
    expect(found.length).toBeLessThanOrEqual(20)
    expect(new Set(found.map((set: string[]) => set.join())).size).toBe(found.length)
    for (const set of found) expect(set).toHaveLength(3)
  })

  it.each(['APPROVED', 'CANCELED', 'EXPIRED', 'REJECTED'])(
    'of a decided one nothing is pending: %s',
    async (status) => {
      const id = await world.opened({ options: { veto: status === 'REJECTED' ? 'final' : 'withdrawable' } })
      if (status === 'APPROVED') await world.voted(world.cleo, id, 'APPROVE')
      if (status === 'CANCELED') await world.ada.post(`/v1/workflows/${id}/cancel`)
      if (status === 'EXPIRED') await world.expiresIn(0, { id })
      if (status === 'REJECTED') await world.voted(world.cleo, id, 'VETO')
      const body = await explained(id)
      expect(body.workflowStatus).toBe(status)
      expect(body).not.toHaveProperty('pending')
    },
  )

  it('tells the deadline, and of a standing veto', async () => {
    const id = await world.opened({ defaultExpiresInHours: 5, approvalRule: world.rule() })
    await world.voted(world.cleo, id, 'VETO')
    expect(await explained(id)).toMatchObject({
      workflowStatus: 'REJECTED',
      expiresAt: '2026-11-21T17:00:00.000Z',
      approvals: [],
      pending: { vetoes: 1, nobodyCan: false },
    })
    await world.voted(world.dan, id, 'APPROVE')
    expect(await explained(id)).toMatchObject({ pending: { vetoes: 1, finishingSets: [[]] } })
  })

  it('an approval whose voter has left counts for nothing', async () => {
    const [a, b] = [await world.voter('Stays'), await world.voter('Leaves')]
    const team = await insertGroup(world.ctx, [a.id, b.id])
    const id = await world.opened({ approvalRule: world.rule(2, team) })
    await world.voted(b, id, 'APPROVE', [team])
    await removeMember(world.ada, team, b.id)
    expect(await explained(id)).toMatchObject({
      approvals: [{ voterId: b.id, countsForGroups: [] }],
      pending: { rule: { held: 0, missing: 2, satisfiable: false }, nobodyCan: true, finishingSets: [] },
    })
  })

  it('nobodyCan: the group is too small, empty, unknown, without the right, or all of it is excluded', async () => {
    const lone = await world.voter('Lone')
    const mute = await world.person('Mute')
    const rules = {
      small: world.rule(2, await insertGroup(world.ctx, [lone.id])),
      empty: world.rule(1, await insertGroup(world.ctx, [])),
      unknown: world.rule(1, nowhere),
      mute: world.rule(1, await insertGroup(world.ctx, [mute.id])),
    }
    for (const approvalRule of Object.values(rules)) {
      const id = await world.opened({ approvalRule })
      expect(await explained(id)).toMatchObject({
        pending: { nobodyCan: true, finishingSets: [], rule: { satisfiable: false } },
      })
    }
    const own = await insertGroup(world.ctx, [world.ada.id])
    await giveRole(world.ctx, world.ada.id)
    const options = { requesterMayVote: false }
    const excluded = await world.opened({ approvalRule: world.rule(1, own), options })
    expect((await explained(excluded)).pending.nobodyCan).toBe(true)
    const allowed = await world.opened({ approvalRule: world.rule(1, own) })
    expect((await explained(allowed)).pending.nobodyCan).toBe(false)
  })

  it('agents are not among those who could fill a protected seat', async () => {
    const boss = await world.voter('Responsible')
    const bot = await agent(world, 'explained-bot', boss)
    await giveRole(world.ctx, bot.id)
    const team = await insertGroup(world.ctx, [bot.id])
    const open = await world.opened({ approvalRule: world.rule(1, team) })
    expect(await finishing(open)).toEqual([[bot.id]])
    const closed = await world.opened({ approvalRule: { ...world.rule(1, team), requireHighPrivilege: true } })
    expect((await explained(closed)).pending).toMatchObject({ nobodyCan: true, finishingSets: [] })
  })

  it('tells of later stages, whether they are advisory and whether they can be passed', async () => {
    const stages = [
      { advisory: true, approvalRule: world.rule(1) },
      { approvalRule: world.rule(2) },
      { advisory: true, approvalRule: world.rule(1, nowhere) },
    ]
    const id = await world.opened({ approvalRule: undefined, stages })
    expect((await explained(id)).pending).toMatchObject({
      stage: 0,
      laterStages: [
        { stage: 1, advisory: false, satisfiable: true },
        { stage: 2, advisory: true, satisfiable: false },
      ],
    })
    await world.voted(world.cleo, id, 'APPROVE')
    expect(await explained(id)).toMatchObject({
      approvals: [],
      pending: { stage: 1, laterStages: [{ stage: 2 }], rule: { missing: 2 } },
    })
  })

  it('AT_LEAST is named as what it is', async () => {
    const [a, b, c] = [nowhere, world.guards, world.security].map((group) => world.rule(1, group))
    const id = await world.opened({ approvalRule: { type: 'AT_LEAST', count: 2, rules: [a, b, c] } })
    expect((await explained(id)).pending.rule).toMatchObject({ type: 'AT_LEAST', needed: 2, missing: 2 })
  })
})

describe('names', () => {
  it('are shown to fellow members and to admins; to others only whose seat it would be', async () => {
    const outsider = await world.person('Outsider')
    const id = await world.opened({ approvalRule: world.rule(2) })
    await world.voted(world.cleo, id, 'APPROVE')
    const named = [
      [{ id: world.dan.id, name: 'Dan', groups: [world.guards] }],
      [{ id: world.eli.id, name: 'Eli', groups: [world.guards] }],
    ]
    for (const client of [world.ada, world.dan]) {
      expect((await explained(id, client)).pending.finishingSets).toEqual(expect.arrayContaining(named))
    }
    for (const client of [outsider, world.robot]) {
      // Sets that look alike are shown once.
      expect((await explained(id, client)).pending.finishingSets).toEqual([[{ groups: [world.guards] }]])
      expect(JSON.stringify(await explained(id, client))).not.toMatch(/Dan|Eli/)
    }
  })

  it('of members of one group are not shown to those of another', async () => {
    const [mine, theirs] = [await world.voter('Mine'), await world.voter('Theirs')]
    const [a, b] = [await insertGroup(world.ctx, [mine.id]), await insertGroup(world.ctx, [theirs.id])]
    const approvalRule = { type: 'AND', rules: [world.rule(1, a), world.rule(1, b)] }
    const id = await world.opened({ approvalRule })
    const [set] = (await explained(id, mine)).pending.finishingSets
    expect(set).toHaveLength(2)
    expect(set).toEqual(expect.arrayContaining([{ id: mine.id, name: 'Mine', groups: [a] }, { groups: [b] }]))
  })
})
