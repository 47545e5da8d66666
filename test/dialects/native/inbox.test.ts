import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PolicyOptions, Rule } from '../../../src/kernel/rule.ts'
import type { Dialect } from '../../../src/store/schema.ts'
import { hold, role, startAccessScene, step, type AccessScene } from '../../helpers/access.ts'
import { ghost, madeId, unknownId } from '../../helpers/directory.ts'
import { bearing, madeKey, said } from '../../helpers/machine.ts'
import { addMember, all, giveRole, insertGroup, insertPolicy, insertSpace, orgId, seats } from '../../helpers/quorum.ts'
import type { Answer, Client } from '../../helpers/world.ts'

let scene: AccessScene
beforeAll(async () => void (scene = await startAccessScene()))
afterAll(() => scene[Symbol.asyncDispose]())

const path = '/v1/inbox'
const foreignOrg = '01890000-0000-7000-8000-00000000000f'
let serial = 0

/** Someone new, in no group, who may vote on every native workflow. */
async function voter(): Promise<Client> {
  const client = await scene.world.person(`Voter${++serial}`)
  await giveRole(scene.world.ctx, client.id)
  return client
}

/** A workflow of Ada's under this rule; each is a second younger than the one before. */
async function opened(rule: Rule, options: Partial<PolicyOptions> = {}, by: Client = scene.ada): Promise<string> {
  return await openedUnder(await insertPolicy(scene.world.ctx, rule, options), by)
}

async function openedUnder(workflowTemplateId: string, by: Client = scene.ada): Promise<string> {
  scene.world.clock.advance(1000)
  return madeId(await by.post('/workflows', { name: `workflow-${++serial}`, workflowTemplateId }))
}

/** A request of Ben's for a role of its own, under these steps; each is a second younger than the one before. */
async function asked(steps: readonly object[], by: Client = scene.ben, question: object = {}): Promise<string> {
  const wanted = await role(scene.world.ctx, `wanted ${++serial}`)
  await scene.workflow({ name: `Workflow ${serial}`, target_roles: [{ id: wanted }], steps })
  scene.world.clock.advance(1000)
  return await scene.ask(by, { requested_role: { id: wanted }, ...question })
}

const newRole = async (...holders: readonly Client[]) => await role(scene.world.ctx, `role ${++serial}`, holders)
const itemsOf = ({ body }: Answer): { id: string }[] => body.requests
const waiting = async (client: Pick<Client, 'get'>, query = '') =>
  itemsOf(await client.get(path + query)).map(({ id }) => id)
const vote = async (client: Client, id: string, type: string, groups: readonly string[] = []) => {
  const voteType = type === 'APPROVE' ? { type, votedForGroups: groups } : { type }
  expect(await client.post(`/workflows/${id}/vote`, { voteType })).toMatchObject({ status: 200 })
}
const decide = async (client: Client, id: string, at = 0) => {
  expect(await scene.decide(client, id, 'APPROVED', { step: at })).toMatchObject({ status: 200 })
}
const boundMembership = async (groupId: string, client: Client, bounds: { starts_at?: Date; ends_at?: Date }) => {
  await scene.world.ctx.db
    .updateTable('memberships')
    .set(bounds)
    .where('group_id', '=', groupId)
    .where('principal_id', '=', client.id)
    .execute()
}

async function expiresIn(milliseconds: number, id: string): Promise<void> {
  const { ctx, clock } = scene.world
  const expires_at = new Date(clock.now().getTime() + milliseconds)
  await ctx.db.updateTable('requests').set({ expires_at }).where('id', '=', id).execute()
}

describe('GET /v1/inbox', () => {
  it('shows what waits for the caller by every API, oldest first', async () => {
    const zoe = await voter()
    const group = await insertGroup(scene.world.ctx, [zoe.id])
    const approvers = await newRole(zoe)
    const first = await opened(seats(group, 2))
    const second = await asked([step('ANY', approvers)], scene.ada, { target_user: { id: scene.ben.id } })
    const third = await opened(seats(group, 1))
    const answer = await zoe.get(path)
    expect(answer.body.pagination).toEqual({ hasMore: false })
    const at = scene.world.clock.now().getTime()
    const times = (ago: number) => {
      const instant = new Date(at - ago * 1000).toISOString()
      return { createdAt: instant, updatedAt: instant }
    }
    const common = {
      name: expect.any(String),
      status: 'EVALUATION_IN_PROGRESS',
      stage: 0,
      stages: 1,
      requester: { id: scene.ada.id, name: 'Ada', kind: 'human' },
      policy: { id: expect.any(String), name: expect.any(String), version: 1 },
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      votes: 0,
      canVote: true,
      voteStatus: 'VOTE_PENDING',
      requireHighPrivilege: false,
    }
    const native = { ...common, dialect: 'native', expiresAt: expect.any(String) }
    expect(itemsOf(answer)).toEqual([
      { ...native, id: first, ...times(2) },
      {
        ...common,
        id: second,
        dialect: 'privx',
        beneficiary: { id: scene.ben.id, name: 'Ben' },
        grant: {
          operation: 'GRANT',
          role: { id: expect.any(String), name: expect.stringMatching(/^wanted/) },
          kind: 'PERMANENT',
        },
        ...times(1),
        expiresAt: null,
      },
      { ...native, id: third, ...times(0) },
    ])
  })

  it('gives it in pages, nothing twice and nothing left out, though some are of one instant', async () => {
    const zoe = await voter()
    const group = await insertGroup(scene.world.ctx, [zoe.id])
    const approvers = await newRole(zoe)
    const ids = []
    for (const make of [() => opened(seats(group, 1)), () => asked([step('ANY', approvers)])]) {
      ids.push(await make(), await make())
      scene.world.clock.advance(-1000)
    }
    const seen: string[] = []
    let query = '?limit=1'
    for (let pages = 1; pages <= 4; pages++) {
      const { body } = await zoe.get(path + query)
      seen.push(...body.requests.map(({ id }: { id: string }) => id))
      expect(body.pagination.hasMore).toBe(pages < 4)
      query = `?limit=1&cursor=${encodeURIComponent(body.pagination.nextCursor ?? '')}`
    }
    expect(seen.toSorted()).toEqual(ids.toSorted())
    expect(seen).toEqual(await waiting(zoe))
  })

  it('fills its pages with what waits: nothing else takes up room', async () => {
    const { world } = scene
    const { ctx } = world
    const [zoe, yan] = [await world.person(`Voter${++serial}`), await voter()]
    const [group, other] = [await insertGroup(ctx, [zoe.id]), await insertGroup(ctx, [yan.id])]
    const mayVoteOn = async (rule: Parameters<typeof insertPolicy>[1]) => {
      const name = `Template ${++serial}`
      const id = await insertPolicy(ctx, rule, {}, { name })
      await giveRole(ctx, zoe.id, 'WorkflowTemplateVoter', { type: 'workflow_template', id: name })
      return id
    }
    // No right to vote; another's stage; a place that is taken; a membership that is over; time that is up;
    // a template that takes no votes any more.
    await opened(seats(group, 1))
    await openedUnder(await mayVoteOn([other, group].map((id) => ({ binding: true, rule: seats(id, 1) }))))
    const [leads, guards] = [await newRole(yan, zoe), await newRole(scene.dana)]
    await decide(yan, await asked([step('ALL', leads, guards)]))
    const former = await insertGroup(ctx, [zoe.id])
    await openedUnder(await mayVoteOn(seats(former, 1)))
    await boundMembership(former, zoe, { ends_at: world.clock.now() })
    await expiresIn(0, await openedUnder(await mayVoteOn(seats(group, 1))))
    const retired = await mayVoteOn(seats(group, 1))
    await openedUnder(retired)
    const status = { status: 'pending-deprecation', takes_votes_when_inactive: false } as const
    await ctx.db.updateTable('policies').set(status).where('id', '=', retired).execute()
    const last = await openedUnder(await mayVoteOn(seats(group, 1)))
    const { body } = await zoe.get(`${path}?limit=1`)
    expect(body).toMatchObject({ requests: [{ id: last }], pagination: { hasMore: false } })
  })

  it.each([
    ['?limit=0', 'INVALID_AUDIT_LIMIT'],
    ['?limit=101', 'INVALID_AUDIT_LIMIT'],
    ['?cursor=first', 'INVALID_CURSOR'],
  ])('refuses %s', async (query) => {
    expect(await scene.cleo.get(path + query)).toMatchObject({ status: 400 })
  })

  it('is for whoever is signed in', async () => {
    expect((await scene.world.anyone.get(path)).status).toBe(401)
    expect(said(await (await ghost(scene.world)).get(path))).toEqual([401, 'USER_NOT_FOUND'])
  })

  it('is for a key that may read, and for no other', async () => {
    const zoe = await voter()
    const id = await opened(seats(await insertGroup(scene.world.ctx, [zoe.id]), 1))
    const reading = bearing(scene.world, (await madeKey(zoe, { scopes: ['native:read'] })).key)
    const other = bearing(scene.world, (await madeKey(zoe, { scopes: ['native:write', 'privx'] })).key)
    expect(await waiting(reading)).toEqual([id])
    for (const url of [path, `/v1/requests/${id}`, `/v1/requests/${id}/receipt`]) {
      expect(said(await other.get(url))).toEqual([403, 'API_KEY_SCOPE_MISSING'])
    }
  })
})

describe('a request waits', () => {
  it('while a membership is in force: from its beginning on, and until its end', async () => {
    const [zoe, { world }] = [await voter(), scene]
    const [group, approvers] = [await insertGroup(world.ctx, [zoe.id]), await newRole(zoe)]
    const ids = [await opened(seats(group, 1)), await asked([step('ANY', approvers)])]
    const from = new Date(world.clock.now().getTime() + 60_000)
    const to = new Date(from.getTime() + 60_000)
    for (const id of [group, approvers]) await boundMembership(id, zoe, { starts_at: from, ends_at: to })
    const before = (instant: Date) => new Date(instant.getTime() - 1)
    const seen = []
    for (const instant of [before(from), from, before(to), to]) {
      world.clock.set(instant)
      seen.push(await waiting(zoe))
    }
    expect(seen).toEqual([[], ids, ids, []])
  })

  it('for nobody who asked for it, where they may not decide on that', async () => {
    const zoe = await voter()
    await giveRole(scene.world.ctx, zoe.id, 'WorkflowTemplateInstantiator')
    const group = await insertGroup(scene.world.ctx, [zoe.id])
    await opened(seats(group, 1), { requesterMayVote: false }, zoe)
    const own = await opened(seats(group, 1), { requesterMayVote: true }, zoe)
    await asked([step('ANY', await newRole(zoe))], zoe)
    expect(await waiting(zoe)).toEqual([own])
  })

  it('for nobody whom it is for', async () => {
    const [zoe, yan] = [await voter(), await voter()]
    const id = await asked([step('ANY', await newRole(zoe, yan))], scene.ada, { target_user: { id: zoe.id } })
    expect([await waiting(zoe), await waiting(yan)]).toEqual([[], [id]])
  })

  it('for no agent of the person who asked, where agents count as their person', async () => {
    const zoe = await voter()
    const { ctx } = scene.world
    await giveRole(ctx, zoe.id, 'WorkflowTemplateInstantiator')
    const { person_id } = await ctx.db
      .selectFrom('principals')
      .select('person_id')
      .where('id', '=', zoe.id)
      .executeTakeFirstOrThrow()
    const id = ctx.newId()
    const row = { org_id: orgId, id, kind: 'agent', person_id, name: `bot${++serial}`, public_key: 'PEM' } as const
    await ctx.db
      .insertInto('principals')
      .values({ ...row, created_at: ctx.clock.now() })
      .execute()
    await giveRole(ctx, id)
    const bot = await scene.world.signedIn(id)
    const group = await insertGroup(ctx, [id])
    const byThemselves = await opened(seats(group, 1), { requesterMayVote: false }, zoe)
    await opened(seats(group, 1), { requesterMayVote: false, naturalPersons: true }, zoe)
    expect(await waiting(bot)).toEqual([byThemselves])
  })

  it('until one has voted, and again once the vote is taken back', async () => {
    const [zoe, yan] = [await voter(), await voter()]
    const group = await insertGroup(scene.world.ctx, [zoe.id, yan.id])
    const id = await opened(seats(group, 2))
    await vote(zoe, id, 'APPROVE', [group])
    expect([await waiting(zoe), await waiting(yan)]).toEqual([[], [id]])
    await vote(zoe, id, 'WITHDRAW')
    expect(await waiting(zoe)).toEqual([id])
    await vote(zoe, id, 'APPROVE', [group])
    await vote(yan, id, 'APPROVE', [group])
    expect([await waiting(zoe), await waiting(yan)]).toEqual([[], []])
  })

  it('for nobody while a veto stands: no approval would finish it', async () => {
    const [zoe, yan] = [await voter(), await voter()]
    const group = await insertGroup(scene.world.ctx, [zoe.id, yan.id])
    const id = await opened(seats(group, 2))
    await vote(zoe, id, 'VETO')
    expect(await waiting(yan)).toEqual([])
    await vote(zoe, id, 'WITHDRAW')
    expect(await waiting(yan)).toEqual([id])
  })

  it('for the holders of the places that are free, where each is for one voter', async () => {
    const [zoe, yan, xia] = [await voter(), await voter(), await voter()]
    const [leads, guards] = [await newRole(zoe, yan), await newRole(zoe, xia)]
    const id = await asked([step('ALL', leads, guards)])
    expect([await waiting(zoe), await waiting(yan), await waiting(xia)]).toEqual([[id], [id], [id]])
    await decide(zoe, id)
    // Zoe holds the other place too, and has voted; Yan's is taken.
    expect([await waiting(zoe), await waiting(yan), await waiting(xia)]).toEqual([[], [], [id]])
  })

  it('for the approvers of a step when that step is open', async () => {
    const [zoe, yan] = [await voter(), await voter()]
    const id = await asked([step('ANY', await newRole(zoe)), step('ANY', await newRole(yan))])
    expect([await waiting(zoe), await waiting(yan)]).toEqual([[id], []])
    await decide(zoe, id)
    expect([await waiting(zoe), await waiting(yan)]).toEqual([[], [id]])
    expect(itemsOf(await yan.get(path))).toMatchObject([{ stage: 1, stages: 2, votes: 1 }])
    await decide(yan, id, 1)
    expect(await waiting(yan)).toEqual([])
  })

  it('for the members of a stage when that stage is open', async () => {
    const [zoe, yan] = [await voter(), await voter()]
    const { ctx } = scene.world
    const [first, second] = [await insertGroup(ctx, [zoe.id]), await insertGroup(ctx, [yan.id])]
    const stages = [first, second].map((group) => ({ binding: true, rule: all(seats(group, 1)) }))
    const id = await openedUnder(await insertPolicy(ctx, stages))
    expect([await waiting(zoe), await waiting(yan)]).toEqual([[id], []])
    await vote(zoe, id, 'APPROVE', [first])
    expect([await waiting(zoe), await waiting(yan)]).toEqual([[], [id]])
  })

  it('natively for those who have the right to vote, by other APIs for whoever holds the seat', async () => {
    const zoe = await scene.world.person(`Voter${++serial}`)
    await opened(seats(await insertGroup(scene.world.ctx, [zoe.id]), 1))
    const id = await asked([step('ANY', await newRole(zoe))])
    expect(await waiting(zoe)).toEqual([id])
  })

  it('for whoever holds a seat in person, by whichever API', async () => {
    const [zoe, { ctx }] = [await voter(), scene.world]
    const rule: Rule = { kind: 'seats', atLeast: 1, from: { kind: 'principal', id: zoe.id } }
    const native = await opened(rule)
    const other = await insertPolicy(ctx, all(rule, rule), { requesterMayVote: false }, { dialect: 'fortanix' })
    const mine = await ofDialect('fortanix', other)
    expect(await waiting(zoe)).toEqual([native, mine])
    expect(await zoe.get(`/v1/requests/${mine}`)).toMatchObject({ status: 200, body: { dialect: 'fortanix' } })
    expect(said(await scene.eli.get(`/v1/requests/${mine}`))).toEqual([404, 'WORKFLOW_NOT_FOUND'])
  })

  it('until its deadline, and while its template takes votes', async () => {
    const [zoe, { ctx, clock }] = [await voter(), scene.world]
    const group = await insertGroup(ctx, [zoe.id])
    const short = await opened(seats(group, 1))
    const policies = [await insertPolicy(ctx, seats(group, 1)), await insertPolicy(ctx, seats(group, 1))]
    const [retired = '', disabled = ''] = policies
    const old = await openedUnder(retired)
    const closed = await openedUnder(disabled)
    expect(await waiting(zoe)).toEqual([short, old, closed])
    const put = (id: string, takes_votes_when_inactive: boolean) =>
      ctx.db
        .updateTable('policies')
        .set({ status: 'pending-deprecation', takes_votes_when_inactive })
        .where('id', '=', id)
        .execute()
    await put(retired, true)
    await put(disabled, false)
    expect(await waiting(zoe)).toEqual([short, old])
    await expiresIn(1, short)
    expect(await waiting(zoe)).toEqual([short, old])
    clock.advance(1)
    expect(await waiting(zoe)).toEqual([old])
  })

  it('in its own organization alone', async () => {
    const [zoe, { ctx }] = [await voter(), scene.world]
    const group = await insertGroup(ctx, [zoe.id])
    const policy = await insertPolicy(ctx, seats(group, 1))
    const id = await openedUnder(policy)
    const at = ctx.clock.now()
    await ctx.db.insertInto('organizations').values({ id: foreignOrg, name: 'other', created_at: at }).execute()
    const copied = async (table: 'policies' | 'requests', from: string, more: object) => {
      const row = await ctx.db.selectFrom(table).selectAll().where('id', '=', from).executeTakeFirstOrThrow()
      const json = Object.entries(row).map(([name, value]) => [name, asStored(value)])
      const foreign = { ...Object.fromEntries(json), org_id: foreignOrg, ...more }
      await ctx.db.insertInto(table).values(foreign).execute()
    }
    const foreignId = ctx.newId()
    await copied('policies', policy, { space_id: null })
    await copied('requests', id, { id: foreignId })
    const { body } = await zoe.get(`${path}?limit=1`)
    expect(body).toMatchObject({ requests: [{ id }], pagination: { hasMore: false } })
    expect(said(await zoe.get(`/v1/requests/${foreignId}`))).toEqual([404, 'WORKFLOW_NOT_FOUND'])
  })
})

/** JSON columns are written as text. */
function asStored(value: unknown): unknown {
  const isJson = typeof value === 'object' && value !== null && !(value instanceof Date) && !ArrayBuffer.isView(value)
  if (!isJson) return value
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string')
  return isList ? value : JSON.stringify(value)
}

/** A request of Ada's in a dialect that has no routes of its own here. */
async function ofDialect(dialect: Dialect, policyId: string): Promise<string> {
  const { ctx, clock } = scene.world
  const id = ctx.newId()
  clock.advance(1000)
  const at = clock.now()
  await ctx.db
    .insertInto('requests')
    .values({
      org_id: orgId,
      id,
      dialect,
      policy_id: policyId,
      name: 'a request',
      metadata: '{}',
      requester_id: scene.ada.id,
      digest: '00',
      status: 'open',
      tally: JSON.stringify({ approvals: [0, 0], vetoes: 0 }),
      expires_at: new Date(at.getTime() + 3_600_000),
      created_at: at,
      updated_at: at,
    })
    .execute()
  return id
}

const shown = async (client: Pick<Client, 'get'>, id: string) => await client.get(`/v1/requests/${id}`)

describe('GET /v1/requests/{id}', () => {
  it('shows a native request to everyone of its organization, with what it waits for', async () => {
    const zoe = await voter()
    const group = await insertGroup(scene.world.ctx, [zoe.id])
    const id = await opened(seats(group, 1))
    const answer = await shown(zoe, id)
    const { open, ...item } = answer.body
    expect(itemsOf(await zoe.get(path))).toEqual([item])
    expect(open).toMatchObject({
      stage: 0,
      rule: { type: 'GROUP_REQUIREMENT', groupId: group, held: 0, needed: 1, missing: 1 },
      finishingSets: [[{ id: zoe.id, groups: [group] }]],
      nobodyCan: false,
    })
    expect(await shown(scene.eli, id)).toMatchObject({
      status: 200,
      body: { id, canVote: false, cantVoteReason: 'ENTITY_NOT_IN_GROUP' },
    })
    await vote(zoe, id, 'APPROVE', [group])
    const decided = (await shown(zoe, id)).body
    expect(decided).toMatchObject({ status: 'APPROVED', stage: 1, stages: 1, votes: 1, voteStatus: 'ALREADY_VOTED' })
    expect(decided).toMatchObject({ canVote: false, cantVoteReason: 'WORKFLOW_APPROVED' })
    expect(decided).not.toHaveProperty('open')
  })

  it('says that one is expired from its deadline on', async () => {
    const { ctx, clock } = scene.world
    const group = await insertGroup(ctx, [])
    const id = await opened(seats(group, 1))
    await expiresIn(1, id)
    expect((await shown(scene.eli, id)).body.status).toBe('EVALUATION_IN_PROGRESS')
    clock.advance(1)
    const { body } = await shown(scene.eli, id)
    expect(body).toMatchObject({ status: 'EXPIRED', cantVoteReason: 'WORKFLOW_EXPIRED' })
    expect(body).not.toHaveProperty('open')
  })

  it('shows a request for a role to those whom it concerns, and to who may see all', async () => {
    const [zoe, yan, xia, wes] = [await voter(), await voter(), await voter(), await voter()]
    const [first, second] = [await newRole(zoe), await newRole(yan)]
    const steps = [step('ANY', first), step('ANY', second)]
    const id = await asked(steps, scene.ada, { target_user: { id: scene.ben.id } })
    await role(scene.world.ctx, `viewers ${++serial}`, [xia], ['requests-view'])
    for (const client of [scene.ada, scene.ben, zoe, yan, xia]) {
      expect((await shown(client, id)).status).toBe(200)
    }
    const unknown = await shown(wes, unknownId)
    expect(said(unknown)).toEqual([404, 'WORKFLOW_NOT_FOUND'])
    expect((await shown(wes, id)).body).toEqual(unknown.body)
    expect((await wes.get(`/v1/requests/${id}/receipt`)).body).toEqual(unknown.body)
    // Who has decided may read it though they hold the role no more.
    await decide(zoe, id)
    await boundMembership(first, zoe, { ends_at: scene.world.clock.now() })
    await boundMembership(second, yan, { ends_at: scene.world.clock.now() })
    expect((await shown(zoe, id)).status).toBe(200)
    expect((await shown(yan, id)).status).toBe(404)
  })

  it('says why somebody may not decide', async () => {
    const [zoe, yan, xia] = [await voter(), await voter(), await voter()]
    const [leads, guards] = [await newRole(zoe, yan, scene.ada, scene.ben), await newRole(xia, zoe)]
    const steps = [step('ALL', leads, guards)]
    const id = await asked(steps, scene.ada, { target_user: { id: scene.ben.id } })
    await decide(zoe, id)
    const reason = async (client: Client) => (await shown(client, id)).body.cantVoteReason
    expect(await reason(scene.ada)).toBe('REQUESTER_EXCLUDED')
    expect(await reason(scene.ben)).toBe('BENEFICIARY_EXCLUDED')
    expect(await reason(zoe)).toBe('ALREADY_VOTED')
    expect(await reason(yan)).toBe('NO_FREE_SEAT')
    expect(await reason(xia)).toBeUndefined()
  })

  it('tells who is still needed of the open step, of those who hold the role', async () => {
    const [zoe, yan] = [await scene.world.person(`Lead${++serial}`), await scene.world.person(`Guard${++serial}`)]
    const [leads, guards] = [await newRole(zoe), await newRole(yan)]
    const id = await asked([step('ANY', leads), step('ANY', guards)])
    const open = async () => (await shown(scene.ada, id)).body.open
    expect(await open()).toMatchObject({ stage: 0, finishingSets: [[{ id: zoe.id }]], nobodyCan: false })
    await decide(zoe, id)
    expect(await open()).toMatchObject({ stage: 1, finishingSets: [[{ id: yan.id }]], nobodyCan: false })
  })

  it('tells that a step that wants two takes two, though one person holds both roles', async () => {
    const [zoe, yan] = [await voter(), await voter()]
    const [leads, guards] = [await newRole(zoe), await newRole(zoe, yan)]
    const id = await asked([step('ALL', leads, guards)])
    const sets = async () =>
      (await shown(scene.ada, id)).body.open.finishingSets.map((set: { id: string }[]) => set.map((one) => one.id))
    expect(await sets()).toEqual([[zoe.id, yan.id]])
    await decide(zoe, id)
    expect(await sets()).toEqual([[yan.id]])
  })

  it('shows the role as it was approved, and that it was taken back', async () => {
    const zoe = await voter()
    const { ctx, clock } = scene.world
    const wanted = await role(ctx, `wanted ${++serial}`)
    await scene.workflow({
      target_roles: [{ id: wanted }],
      steps: [step('ANY', await newRole(zoe))],
      grant_types: ['FLOATING'],
      max_floating_duration: 8,
      can_bypass_revoke_workflow: true,
    })
    const question = { requested_role: { id: wanted }, grant_type: 'FLOATING', floating_length: 4 }
    const id = await scene.ask(scene.ben, question)
    const grant = async () => (await shown(scene.ben, id)).body.grant
    const expected = { operation: 'GRANT', role: { id: wanted }, kind: 'FLOATING', floatingHours: 4 }
    expect(await grant()).toMatchObject(expected)
    await decide(zoe, id)
    expect(await grant()).not.toHaveProperty('revokedAt')
    await scene.world.ctx.db
      .updateTable('request_grants')
      .set({ revoked_at: clock.now() })
      .where('request_id', '=', id)
      .execute()
    expect(await grant()).toMatchObject({ ...expected, revokedAt: clock.now().toISOString() })
  })

  it('knows nothing by a name or by what is no id', async () => {
    for (const id of ['newest', unknownId, 'x']) {
      expect(said(await shown(scene.ada, id))).toEqual([404, 'WORKFLOW_NOT_FOUND'])
    }
    expect(said(await shown(await ghost(scene.world), 'newest'))).toEqual([401, 'USER_NOT_FOUND'])
  })
})

describe('GET /v1/requests/{id}/receipt', () => {
  it('is the receipt of a workflow', async () => {
    const zoe = await voter()
    const group = await insertGroup(scene.world.ctx, [])
    await addMember(scene.world.ctx, group, zoe.id)
    const approvalRule = { type: 'GROUP_REQUIREMENT', groupId: group, minCount: 1 }
    const template = { name: `Template ${++serial}`, approvalRule, spaceId: await insertSpace(scene.world.ctx) }
    const id = await openedUnder((await scene.ada.post('/workflow-templates', template)).body.id)
    expect(said(await zoe.get(`/v1/requests/${id}/receipt`))).toEqual([409, 'WORKFLOW_NOT_DECIDED'])
    await vote(zoe, id, 'APPROVE', [group])
    const predicate = async (url: string) => {
      const { body } = await zoe.get(url)
      return JSON.parse(Buffer.from(body.payload, 'base64').toString()).predicate
    }
    const receipt = await predicate(`/v1/requests/${id}/receipt`)
    expect(receipt).toMatchObject({ request: { id, dialect: 'native' }, decision: { status: 'approved' } })
    expect(receipt.votes).toEqual((await predicate(`/v1/workflows/${id}/receipt`)).votes)
  })

  it('is that of a request for a role too, for who may read it', async () => {
    const zoe = await voter()
    const approvers = await newRole()
    await hold(scene.world.ctx, approvers, zoe.id)
    const id = await asked([step('ANY', approvers)])
    expect(said(await zoe.get(`/v1/requests/${id}/receipt`))).toEqual([409, 'WORKFLOW_NOT_DECIDED'])
    await decide(zoe, id)
    const { status, body } = await scene.ben.get(`/v1/requests/${id}/receipt`)
    expect([status, body.code]).toEqual([200, undefined])
    const statement = JSON.parse(Buffer.from(body.payload, 'base64').toString())
    expect(statement.predicate).toMatchObject({ request: { id, dialect: 'privx' }, decision: { status: 'approved' } })
    expect((await scene.ben.get(`/v1/workflows/${id}/receipt`)).status).toBe(404)
  })
})
