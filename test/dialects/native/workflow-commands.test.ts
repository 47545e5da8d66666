import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expireRequests } from '../../../src/approvals/expire-requests.ts'
import { agent } from '../../helpers/directory.ts'
import { removeMember, removeRoles } from '../../helpers/facts.ts'
import { countFaults } from '../../helpers/history.ts'
import { addMember, giveRole, insertGroup } from '../../helpers/quorum.ts'
import { expectRefusal, nowhere } from '../../helpers/templates.ts'
import type { Client } from '../../helpers/world.ts'
import {
  deprecated,
  refusals,
  startWorkflowWorld,
  storedIn,
  workflows,
  type Refused,
  type WorkflowWorld,
} from '../../helpers/workflows.ts'

let world: WorkflowWorld
beforeAll(async () => void (world = await startWorkflowWorld()))
afterAll(async () => {
  // Whatever happened above, the counts that lists read are those of the workflows there are.
  expect(await countFaults(world.ctx)).toEqual([])
  await world.close()
})

const commands = ['cancel', 'close-stage'] as const
const command = async (client: Pick<Client, 'post'>, id: string, which: (typeof commands)[number], headers = {}) =>
  await client.post(`/v1/workflows/${id}/${which}`, undefined, headers)
const cancel = async (client: Pick<Client, 'post'>, id: string) => await command(client, id, 'cancel')
const closeStage = async (client: Pick<Client, 'post'>, id: string) => await command(client, id, 'close-stage')
const read = async (id: string) => (await world.ben.get(`${workflows}/${id}`)).body
const advisory = (more: object[] = [{ approvalRule: world.rule() }]) => ({
  approvalRule: undefined,
  stages: [{ name: 'Feedback', advisory: true, approvalRule: world.rule(9) }, ...more],
})
const stances = ['APPROVE', 'VETO', 'WITHDRAW'] as const

/** The table of contract §3.1: what votes make of a workflow that two guards approve. */
describe('states', () => {
  type Act = readonly [who: 'cleo' | 'dan' | 'eli', type: (typeof stances)[number], status: string]
  const open = 'EVALUATION_IN_PROGRESS'
  const histories: Readonly<Record<string, readonly Act[]>> = {
    'approvals cover the rule': [
      ['cleo', 'APPROVE', open],
      ['dan', 'APPROVE', 'APPROVED'],
    ],
    'the same voter never counts twice': [
      ['cleo', 'APPROVE', open],
      ['cleo', 'APPROVE', open],
      ['dan', 'APPROVE', 'APPROVED'],
    ],
    'a veto rejects, its withdrawal brings it back': [
      ['cleo', 'APPROVE', open],
      ['dan', 'VETO', 'REJECTED'],
      ['dan', 'WITHDRAW', open],
      ['eli', 'APPROVE', 'APPROVED'],
    ],
    'a withdrawal with the rule covered approves at once': [
      ['cleo', 'VETO', 'REJECTED'],
      ['dan', 'APPROVE', 'REJECTED'],
      ['eli', 'APPROVE', 'REJECTED'],
      ['cleo', 'WITHDRAW', 'APPROVED'],
    ],
    'the vetoer changes their mind': [
      ['cleo', 'APPROVE', open],
      ['dan', 'VETO', 'REJECTED'],
      ['dan', 'APPROVE', 'APPROVED'],
    ],
    'two vetoes are withdrawn one by one': [
      ['cleo', 'VETO', 'REJECTED'],
      ['dan', 'VETO', 'REJECTED'],
      ['cleo', 'APPROVE', 'REJECTED'],
      ['dan', 'WITHDRAW', open],
      ['dan', 'APPROVE', 'APPROVED'],
    ],
    'a veto twice by one voter is one': [
      ['cleo', 'VETO', 'REJECTED'],
      ['cleo', 'VETO', 'REJECTED'],
      ['cleo', 'WITHDRAW', open],
    ],
    'a withdrawal takes the approval back': [
      ['cleo', 'APPROVE', open],
      ['cleo', 'WITHDRAW', open],
      ['dan', 'APPROVE', open],
      ['eli', 'APPROVE', 'APPROVED'],
    ],
    'a withdrawal of nothing changes nothing': [
      ['cleo', 'WITHDRAW', open],
      ['cleo', 'APPROVE', open],
    ],
    'a veto replaces the approval': [
      ['cleo', 'APPROVE', open],
      ['cleo', 'VETO', 'REJECTED'],
      ['cleo', 'WITHDRAW', open],
      ['dan', 'APPROVE', open],
    ],
  }

  it.each(Object.entries(histories))('%s', async (_, acts) => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    for (const [who, type, status] of acts) {
      expect(await world.voted(world[who], id, type)).toBe(status)
      expect(await world.statusOf(id)).toBe(status)
    }
    expect((await world.ben.get(`${workflows}/${id}/votes`)).body.votes).toHaveLength(acts.length)
  })

  it.each(['open', 'rejected'])('%s, then its time is up: EXPIRED at that instant, and swept later', async (from) => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    if (from === 'rejected') await world.voted(world.cleo, id, 'VETO')
    await world.expiresIn(1000, { id })
    const now = world.clock.now()
    world.clock.advance(999)
    expect(await expireRequests(world.ctx)).toBe(0)
    expect(await world.statusOf(id)).not.toBe('EXPIRED')
    world.clock.advance(1)
    expect(await world.statusOf(id)).toBe('EXPIRED')
    const found = async (query: string) =>
      (await world.ben.get(`${workflows}?limit=1000${query}`)).body.data.find((each: { id: string }) => each.id === id)
    expect(await found('')).toMatchObject({ status: 'EXPIRED' })
    expect(await found('&includeOnlyNonTerminalState=true')).toBeUndefined()
    const before = await storedIn(world)
    for (const type of stances) expectRefusal(await world.vote(world.dan, id, type), 422, 'WORKFLOW_EXPIRED')
    for (const which of commands) expectRefusal(await command(world.ada, id, which), 422, 'WORKFLOW_EXPIRED')
    expect(await storedIn(world)).toEqual(before)
    const { is_final } = await world.ctx.db
      .selectFrom('requests')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    expect(is_final).toBe(false)
    expect(await expireRequests(world.ctx)).toBe(1)
    expect(await expireRequests(world.ctx)).toBe(0)
    expect(await read(id)).toMatchObject({ status: 'EXPIRED', updatedAt: world.clock.now().toISOString() })
    world.clock.set(now)
    expect(await world.statusOf(id)).toBe('EXPIRED')
  })

  it('expires when the template says, over the API alone', async () => {
    const id = await world.opened({ defaultExpiresInHours: 1 })
    const now = world.clock.now()
    world.clock.advance(3_600_000 - 1)
    const [cleo, ben] = [await world.signedIn(world.cleo.id), await world.signedIn(world.ben.id)]
    expect((await ben.get(`${workflows}/${id}`)).body.status).toBe('EVALUATION_IN_PROGRESS')
    world.clock.advance(1)
    expect((await ben.get(`${workflows}/${id}`)).body.status).toBe('EXPIRED')
    expectRefusal(await world.vote(cleo, id, 'APPROVE'), 422, 'WORKFLOW_EXPIRED')
    world.clock.set(now)
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('APPROVED')
  })

  it('what is approved does not expire', async () => {
    const id = await world.opened()
    await world.voted(world.cleo, id, 'APPROVE')
    await world.expiresIn(0, { id })
    expect(await expireRequests(world.ctx)).toBe(0)
    expect(await world.statusOf(id)).toBe('APPROVED')
  })

  it.each(['open', 'rejected'])('%s, then the template is ended with its workflows: CANCELED', async (from) => {
    const id = await world.opened()
    if (from === 'rejected') await world.voted(world.cleo, id, 'VETO')
    await deprecated(world, (await read(id)).workflowTemplateId, true)
    expect(await world.statusOf(id)).toBe('CANCELED')
    expectRefusal(await world.vote(world.cleo, id, 'WITHDRAW'), 422, 'WORKFLOW_CANCELLED')
  })

  it('membership that changes between votes counts at the next vote', async () => {
    const [a, b, c] = [await world.voter('A'), await world.voter('B'), await world.voter('C')]
    const team = await insertGroup(world.ctx, [a.id, b.id, c.id])
    const id = await world.opened({ approvalRule: world.rule(2, team) })
    await world.voted(a, id, 'APPROVE', [team])
    await removeMember(world.ada, team, a.id)
    expect(await world.statusOf(id)).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(b, id, 'APPROVE', [team])).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(c, id, 'APPROVE', [team])).toBe('APPROVED')
  })

  it('and so does a right that is taken', async () => {
    const [a, b] = [await world.voter('D'), await world.voter('E')]
    const team = await insertGroup(world.ctx, [a.id, b.id])
    const id = await world.opened({ approvalRule: world.rule(2, team) })
    await world.voted(a, id, 'APPROVE', [team])
    await removeRoles(world.ctx, a.id)
    expect(await world.voted(b, id, 'APPROVE', [team])).toBe('EVALUATION_IN_PROGRESS')
  })
})

const found = (which: (typeof commands)[number]): readonly Refused[] => [
  ...[nowhere, 'no-such-name', '01890000-0000-4000-8000-000000000000'].map((key): Refused => [
    `an unknown workflow: ${key}`,
    404,
    'WORKFLOW_NOT_FOUND',
    undefined,
    () => () => command(world.ada, key, which),
  ]),
  ['no token', 401, 'MISSING_JWT_TOKEN', undefined, () => () => command(world.anyone, nowhere, which)],
  [
    'an approved one',
    422,
    'WORKFLOW_ALREADY_APPROVED',
    undefined,
    async () => {
      const id = await world.opened()
      await world.voted(world.cleo, id, 'APPROVE')
      return () => command(world.ada, id, which)
    },
  ],
  [
    'a canceled one',
    422,
    'WORKFLOW_CANCELLED',
    undefined,
    async () => {
      const id = await world.opened()
      expect((await cancel(world.ada, id)).status).toBe(200)
      return () => command(world.ada, id, which)
    },
  ],
  [
    'one whose time is up',
    422,
    'WORKFLOW_EXPIRED',
    undefined,
    async () => {
      const id = await world.opened()
      await world.expiresIn(0, { id })
      return () => command(world.ada, id, which)
    },
  ],
  [
    'one that was vetoed for good',
    422,
    'WORKFLOW_ALREADY_REJECTED',
    undefined,
    async () => {
      const id = await world.opened({ options: { veto: 'final' } })
      await world.voted(world.cleo, id, 'VETO')
      return () => command(world.ada, id, which)
    },
  ],
  [
    'a bystander',
    403,
    'REQUESTOR_NOT_AUTHORIZED',
    undefined,
    async () => {
      const id = await world.opened()
      return () => command(world.ben, id, which)
    },
  ],
  [
    'a voter',
    403,
    'REQUESTOR_NOT_AUTHORIZED',
    undefined,
    async () => {
      const id = await world.opened()
      return () => command(world.cleo, id, which)
    },
  ],
]

refusals('POST /v1/workflows/{workflowId}/cancel', () => world, found('cancel'))

describe('POST /v1/workflows/{workflowId}/cancel 200', () => {
  it.each(['open', 'rejected'])('an %s one, by name; a leaf tells of it', async (from) => {
    const name = `to-cancel-${from}`
    const id = await world.opened({}, { name })
    if (from === 'rejected') await world.voted(world.cleo, id, 'VETO')
    expect(await cancel(world.ada, name)).toMatchObject({ status: 200, body: { workflowStatus: 'CANCELED' } })
    expect(await read(id)).toMatchObject({ status: 'CANCELED' })
    for (const type of stances) expectRefusal(await world.vote(world.dan, id, type), 422, 'WORKFLOW_CANCELLED')
    const leaves = world.ctx.db.selectFrom('audit_leaves').select('kind').where('subject_id', '=', id)
    const last = await leaves.orderBy('id', 'desc').limit(1).executeTakeFirst()
    expect(last?.kind).toBe('request.canceled')
  })

  it('its requester may, without any other right by then; an agent too', async () => {
    const asker = await world.person('Asker')
    await giveRole(world.ctx, asker.id, 'OrgWideWorkflowTemplateInstantiator')
    for (const client of [asker, world.robot]) {
      const { id: templateId } = await world.made({ approvalRule: world.rule() })
      const made = await client.post(workflows, world.ask(templateId))
      const id = String(made.headers['location']).split('/').at(-1) ?? ''
      if (client === asker) await removeRoles(world.ctx, asker.id)
      expect((await cancel(client, id)).status).toBe(200)
    }
  })

  it.each([
    ['OrgWideWorkflowCancel', 'org', 200],
    ['SpaceWideWorkflowFullAccess', 'space', 200],
    ['WorkflowCancel', 'workflow_template', 200],
    ['OrgWideWorkflowList', 'org', 403],
    ['OrgWideWorkflowTemplateFullAccess', 'org', 403],
    ['OrgWideSpaceManager', 'org', 403],
  ] as const)('%s at the %s: %i', async (role, type, status) => {
    const name = `Canceled by ${role}`
    const id = await world.opened({ name })
    const someone = await world.person(`By${role}`)
    const scope = { org: '', space: world.space, workflow_template: name }[type]
    await giveRole(world.ctx, someone.id, role, { type, id: scope })
    expect((await cancel(someone, id)).status).toBe(status)
    expect(await world.statusOf(id)).toBe(status === 200 ? 'CANCELED' : 'EVALUATION_IN_PROGRESS')
  })

  it('an agent with the right may', async () => {
    const canceler = await agent(world, 'canceler', world.ada)
    await giveRole(world.ctx, canceler.id, 'OrgWideWorkflowCancel')
    const id = await world.opened()
    expect((await cancel(canceler, id)).status).toBe(200)
  })

  it('runs once under an Idempotency-Key', async () => {
    const id = await world.opened()
    const headers = { 'idempotency-key': 'cancel-once' }
    const first = await command(world.ada, id, 'cancel', headers)
    expect(first.status).toBe(200)
    expect(await command(world.ada, id, 'cancel', headers)).toMatchObject({ status: 200, body: first.body })
    expectRefusal(await command(world.ada, await world.opened(), 'cancel', headers), 422, 'IDEMPOTENCY_KEY_REUSED')
  })

  it('the last one of a template out of use ends the template', async () => {
    const id = await world.opened()
    const { workflowTemplateId } = await read(id)
    await deprecated(world, workflowTemplateId)
    const status = async () => (await world.ben.get(`/workflow-templates/${workflowTemplateId}`)).body.status
    expect(await status()).toBe('PENDING_DEPRECATION')
    expect((await cancel(world.ada, id)).status).toBe(200)
    expect(await status()).toBe('DEPRECATED')
  })
})

refusals('POST /v1/workflows/{workflowId}/close-stage', () => world, [
  ...found('close-stage'),
  [
    'an open stage that is binding',
    422,
    'STAGE_NOT_ADVISORY',
    undefined,
    async () => {
      const id = await world.opened()
      return () => closeStage(world.ada, id)
    },
  ],
  [
    'a veto stands',
    422,
    'VETO_STANDS',
    undefined,
    async () => {
      const id = await world.opened(advisory())
      expect(await world.voted(world.cleo, id, 'VETO')).toBe('REJECTED')
      return () => closeStage(world.ada, id)
    },
  ],
])

describe('stages', () => {
  it('an advisory stage is closed by command, and the binding one decides', async () => {
    const id = await world.opened(advisory())
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    expect(await closeStage(world.ada, id)).toMatchObject({
      status: 200,
      body: { workflowStatus: 'EVALUATION_IN_PROGRESS', stage: 1 },
    })
    // Nothing of the first stage counts in the second.
    expect(await world.statusOf(id)).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('APPROVED')
    const leaves = await world.ctx.db
      .selectFrom('audit_leaves')
      .selectAll()
      .where('subject_id', '=', id)
      .orderBy('id')
      .execute()
    expect(leaves.map(({ kind }) => kind)).toEqual([
      'request.created',
      'vote.cast',
      'request.stage-closed',
      'vote.cast',
    ])
  })

  it('an advisory stage passes by votes too; those after the last binding one are not waited for', async () => {
    const more = [{ approvalRule: world.rule() }, { advisory: true, approvalRule: world.rule(9) }]
    const stages = [{ advisory: true, approvalRule: world.rule() }, ...more]
    const id = await world.opened({ approvalRule: undefined, stages })
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('APPROVED')
  })

  it('one vote passes at most one stage, and each stage has its own voters', async () => {
    const chief = await world.voter('Second')
    const board = await insertGroup(world.ctx, [chief.id])
    const stages = [{ approvalRule: world.rule() }, { approvalRule: world.rule(1, board) }]
    const id = await world.opened({ approvalRule: undefined, stages })
    expectRefusal(await world.vote(chief, id, 'APPROVE', [board]), 422, 'ENTITY_NOT_IN_REQUIRED_GROUP')
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    expectRefusal(await world.vote(world.cleo, id, 'APPROVE'), 422, 'ENTITY_NOT_IN_REQUIRED_GROUP')
    expect(await world.voted(chief, id, 'APPROVE', [board])).toBe('APPROVED')
  })

  it('a veto holds the stage until it is withdrawn, though the rule holds', async () => {
    const stages = [{ approvalRule: world.rule() }, { approvalRule: world.rule() }]
    const id = await world.opened({ approvalRule: undefined, stages })
    expect(await world.voted(world.cleo, id, 'VETO')).toBe('REJECTED')
    expect(await world.voted(world.dan, id, 'APPROVE')).toBe('REJECTED')
    expect(await world.voted(world.cleo, id, 'WITHDRAW')).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('APPROVED')
  })

  it.each([
    ['OrgWideWorkflowTemplateWrite', 200],
    ['OrgWideWorkflowCancel', 403],
    ['OrgWideWorkflowTemplateVoter', 403],
  ])('are closed by the requester and by who writes the template: %s %i', async (role, status) => {
    const id = await world.opened(advisory())
    const someone = await world.person(`Closer${role}`)
    await giveRole(world.ctx, someone.id, role)
    expect((await closeStage(someone, id)).status).toBe(status)
  })
})

describe('options', () => {
  const atLeast = (count: number, ...rules: object[]) => ({ type: 'AT_LEAST', count, rules })

  it('AT_LEAST holds with so many of its rules, whichever they are', async () => {
    const people = [await world.voter('P'), await world.voter('Q'), await world.voter('R')]
    const groups: string[] = []
    for (const { id } of people) groups.push(await insertGroup(world.ctx, [id]))
    const id = await world.opened({ approvalRule: atLeast(2, ...groups.map((group) => world.rule(1, group))) })
    const by = async (index: number) =>
      await world.voted(people[index] as Client, id, 'APPROVE', [groups[index] as string])
    expect(await by(2)).toBe('EVALUATION_IN_PROGRESS')
    expect(await by(0)).toBe('APPROVED')
  })

  it('requesterMayVote false: neither approves nor vetoes their own; by default they may', async () => {
    await giveRole(world.ctx, world.ada.id)
    await addMember(world.ctx, world.guards, world.ada.id)
    const id = await world.opened({ options: { requesterMayVote: false } })
    for (const type of stances) {
      expectRefusal(await world.vote(world.ada, id, type), 403, 'ENTITY_NOT_ELIGIBLE_TO_VOTE')
    }
    expect(await world.voted(world.dan, id, 'APPROVE')).toBe('APPROVED')
    expect(await world.voted(world.ada, await world.opened(), 'APPROVE')).toBe('APPROVED')
  })

  it('distinctPeople: nobody is counted for two groups', async () => {
    const [both, one] = [await world.voter('Both'), await world.voter('One')]
    const [a, b] = [await insertGroup(world.ctx, [both.id]), await insertGroup(world.ctx, [both.id, one.id])]
    const approvalRule = { type: 'AND', rules: [world.rule(1, a), world.rule(1, b)] }
    const id = await world.opened({ approvalRule, options: { distinctPeople: true } })
    expect(await world.voted(both, id, 'APPROVE', [a, b])).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(one, id, 'APPROVE', [b])).toBe('APPROVED')
    const plain = await world.opened({ approvalRule })
    expect(await world.voted(both, plain, 'APPROVE', [a, b])).toBe('APPROVED')
  })

  it('naturalPersons: an agent and the person who answers for it count once', async () => {
    const [boss, other] = [await world.voter('Boss'), await world.voter('Other')]
    const deputy = await agent(world, 'deputy', boss)
    await giveRole(world.ctx, deputy.id)
    const team = await insertGroup(world.ctx, [boss.id, deputy.id, other.id])
    const approvalRule = world.rule(2, team)
    const id = await world.opened({ approvalRule, options: { naturalPersons: true } })
    expect(await world.voted(deputy, id, 'APPROVE', [team])).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(boss, id, 'APPROVE', [team])).toBe('EVALUATION_IN_PROGRESS')
    // The seat is held while either of them approves for it; a veto by either stands.
    expect(await world.voted(boss, id, 'WITHDRAW')).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(deputy, id, 'VETO')).toBe('REJECTED')
    expect(await world.voted(boss, id, 'WITHDRAW')).toBe('REJECTED')
    expect(await world.voted(deputy, id, 'APPROVE', [team])).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(other, id, 'APPROVE', [team])).toBe('APPROVED')
    // By default they are two voters.
    const plain = await world.opened({ approvalRule })
    expect(await world.voted(deputy, plain, 'APPROVE', [team])).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(boss, plain, 'APPROVE', [team])).toBe('APPROVED')
  })

  it("naturalPersons with requesterMayVote false: the requester's agents are excluded too", async () => {
    const asker = await world.voter('Owner')
    await giveRole(world.ctx, asker.id, 'OrgWideWorkflowTemplateInstantiator')
    const deputy = await agent(world, 'stand-in', asker)
    await giveRole(world.ctx, deputy.id)
    const team = await insertGroup(world.ctx, [asker.id, deputy.id])
    const options = { naturalPersons: true, requesterMayVote: false }
    const { id: templateId } = await world.made({ approvalRule: world.rule(1, team), options })
    const made = await asker.post(workflows, world.ask(templateId))
    const id = String(made.headers['location']).split('/').at(-1) ?? ''
    expectRefusal(await world.vote(asker, id, 'APPROVE', [team]), 403, 'ENTITY_NOT_ELIGIBLE_TO_VOTE')
    expectRefusal(await world.vote(deputy, id, 'APPROVE', [team]), 403, 'ENTITY_NOT_ELIGIBLE_TO_VOTE')
  })

  it('recheckEligibility false: an approval stands though its voter has left', async () => {
    const [a, b] = [await world.voter('F'), await world.voter('G')]
    const team = await insertGroup(world.ctx, [a.id, b.id])
    const id = await world.opened({ approvalRule: world.rule(2, team), options: { recheckEligibility: false } })
    await world.voted(a, id, 'APPROVE', [team])
    await removeMember(world.ada, team, a.id)
    expect(await world.voted(b, id, 'APPROVE', [team])).toBe('APPROVED')
  })

  it('veto final: it cannot be taken back, and every later vote is refused', async () => {
    const id = await world.opened({ approvalRule: world.rule(2), options: { veto: 'final' } })
    await world.voted(world.dan, id, 'APPROVE')
    expect(await world.voted(world.cleo, id, 'VETO')).toBe('REJECTED')
    const before = await storedIn(world)
    for (const client of [world.cleo, world.dan, world.eli]) {
      for (const type of stances) expectRefusal(await world.vote(client, id, type), 422, 'WORKFLOW_ALREADY_REJECTED')
    }
    expect(await storedIn(world)).toEqual(before)
    await world.expiresIn(0, { id })
    await expireRequests(world.ctx)
    expect(await world.statusOf(id)).toBe('REJECTED')
    const open = await world.ben.get(`${workflows}?includeOnlyNonTerminalState=true&limit=1000`)
    expect(open.body.data.map((each: { id: string }) => each.id)).not.toContain(id)
  })

  it('veto ignored: it rejects nothing, and takes back what its voter approved', async () => {
    const id = await world.opened({ approvalRule: world.rule(2), options: { veto: 'ignored' } })
    await world.voted(world.cleo, id, 'APPROVE')
    expect(await world.voted(world.cleo, id, 'VETO')).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(world.dan, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(world.eli, id, 'APPROVE')).toBe('APPROVED')
  })
})
