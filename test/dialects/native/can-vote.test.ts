import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expireRequests } from '../../../src/approvals/expire-requests.ts'
import { addMember, giveRole, insertGroup } from '../../helpers/quorum.ts'
import { insertAgent } from '../../helpers/rows.ts'
import { nowhere, templates } from '../../helpers/templates.ts'
import type { Client } from '../../helpers/world.ts'
import { deprecated, refusals, startWorkflowWorld, workflows, type WorkflowWorld } from '../../helpers/workflows.ts'

let world: WorkflowWorld
beforeAll(async () => void (world = await startWorkflowWorld()))
afterAll(() => world.close())

const url = (id: string) => `${workflows}/${id}/canVote`
const templateOf = async (id: string) => (await world.ben.get(`${workflows}/${id}`)).body.workflowTemplateId
const may = (voteStatus = 'VOTE_PENDING', requireHighPrivilege = false) => ({
  canVote: true,
  voteStatus,
  requireHighPrivilege,
})
const mayNot = (cantVoteReason: string, voteStatus = 'VOTE_PENDING') => ({
  canVote: false,
  voteStatus,
  cantVoteReason,
})

refusals('GET /workflows/{workflowId}/canVote', () => world, [
  ...[nowhere, 'no-such-name', '01890000-0000-4000-8000-000000000000'].map(
    (key) =>
      [
        `an unknown workflow: ${key}`,
        404,
        'WORKFLOW_NOT_FOUND',
        undefined,
        () => () => world.cleo.get(url(key)),
      ] as const,
  ),
  ['no token', 401, 'MISSING_JWT_TOKEN', undefined, () => () => world.anyone.get(url(nowhere))],
])

describe('GET /workflows/{workflowId}/canVote 200', () => {
  it('answers who may, by id, by name and to an agent', async () => {
    const id = await world.opened({}, { name: 'ask-me' })
    expect((await world.cleo.get(url(id))).body).toEqual(may())
    expect((await world.cleo.get(url('ask-me'))).body).toEqual(may())
    const agent = await world.signedIn(await insertAgent(world.ctx, 'asker'))
    expect(await world.canVote(agent, id)).toEqual(mayNot('ENTITY_NOT_IN_GROUP'))
    await addMember(world.ctx, world.guards, agent.id)
    expect(await world.canVote(agent, id)).toEqual(mayNot('NO_PERMISSIONS'))
    await giveRole(world.ctx, agent.id)
    expect(await world.canVote(agent, id)).toEqual(may())
  })

  it('voteStatus follows the last vote', async () => {
    const id = await world.opened({ approvalRule: world.rule(9) })
    for (const [type, status] of [
      ['APPROVE', 'ALREADY_VOTED'],
      ['WITHDRAW', 'VOTE_PENDING'],
      ['VETO', 'ALREADY_VOTED'],
      ['APPROVE', 'ALREADY_VOTED'],
      ['VETO', 'ALREADY_VOTED'],
      ['WITHDRAW', 'VOTE_PENDING'],
    ] as const) {
      await world.voted(world.cleo, id, type)
      expect(await world.canVote(world.cleo, id)).toEqual(may(status))
      expect(await world.canVote(world.dan, id)).toEqual(may())
    }
  })

  it('voteStatus is of the open stage, and of the last vote once it is decided', async () => {
    const stages = [{ approvalRule: world.rule() }, { approvalRule: world.rule(2) }]
    const id = await world.opened({ approvalRule: undefined, stages })
    await world.voted(world.cleo, id, 'APPROVE')
    expect(await world.canVote(world.cleo, id)).toEqual(may())
    await world.voted(world.dan, id, 'APPROVE')
    await world.voted(world.dan, id, 'WITHDRAW')
    expect((await world.ada.post(`/v1/workflows/${id}/cancel`)).status).toBe(200)
    expect(await world.canVote(world.cleo, id)).toEqual(mayNot('WORKFLOW_CANCELED', 'ALREADY_VOTED'))
    expect(await world.canVote(world.dan, id)).toEqual(mayNot('WORKFLOW_CANCELED'))
  })

  it('voteStatus is told beside every reason against', async () => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    await world.voted(world.cleo, id, 'APPROVE')
    await world.voted(world.dan, id, 'APPROVE')
    expect(await world.canVote(world.cleo, id)).toEqual(mayNot('WORKFLOW_APPROVED', 'ALREADY_VOTED'))
    expect(await world.canVote(world.eli, id)).toEqual(mayNot('WORKFLOW_APPROVED'))
  })
})

describe('requireHighPrivilege', () => {
  it('is true to a person of whom a protected group is among their groups, whatever the rest, and false to agents', async () => {
    const [both, one] = [await world.voter('Both'), await world.voter('One')]
    const agent = await world.signedIn(await insertAgent(world.ctx, 'stepless'))
    await giveRole(world.ctx, agent.id)
    const keepers = await insertGroup(world.ctx, [both.id, agent.id])
    const plain = await insertGroup(world.ctx, [both.id, one.id, agent.id])
    const rules = [{ ...world.rule(2, keepers), requireHighPrivilege: true }, world.rule(2, plain)]
    const id = await world.opened({ approvalRule: { type: 'OR', rules } })
    expect(await world.canVote(both, id)).toEqual(may('VOTE_PENDING', true))
    expect(await world.canVote(one, id)).toEqual(may())
    expect(await world.canVote(agent, id)).toEqual(may())
  })

  it('is false where the rule says so', async () => {
    const id = await world.opened({ approvalRule: { ...world.rule(), requireHighPrivilege: false } })
    expect(await world.canVote(world.cleo, id)).toEqual(may())
  })
})

/** Each obstacle of contract §3.3, in its order: what puts it in the way, and the reason it gives. */
describe('the order of the reasons', () => {
  interface Situation {
    readonly id: string
    readonly client: Client
    readonly groups: readonly string[]
  }
  const voteFor = async ({ id }: Situation) => {
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('APPROVED')
  }
  const cancel = async ({ id }: Situation) => {
    expect((await world.ada.post(`/v1/workflows/${id}/cancel`)).status).toBe(200)
  }
  const due = async ({ id }: Situation) => await world.expiresIn(0, { id })
  const sweep = async (situation: Situation) => {
    await due(situation)
    expect(await expireRequests(world.ctx)).toBeGreaterThan(0)
    expect(await world.statusOf(situation.id)).toBe('EXPIRED')
  }
  const close = async ({ id }: Situation) => {
    await world.ctx.db
      .updateTable('policies')
      .set({ status: 'pending-deprecation', takes_votes_when_inactive: false })
      .where('id', '=', await templateOf(id))
      .execute()
  }
  const leave = (which: 'all' | 'the rule’s') => async (situation: Situation) => {
    const { id } = situation.client
    await world.ctx.db.deleteFrom('memberships').where('principal_id', '=', id).execute()
    if (which === 'the rule’s') await insertGroup(world.ctx, [id])
  }
  const unseat = async ({ client }: Situation) => {
    await world.ctx.db.deleteFrom('role_bindings').where('principal_id', '=', client.id).execute()
  }
  const terminal = [
    ['approved', voteFor, 'WORKFLOW_APPROVED', 'WORKFLOW_ALREADY_APPROVED'],
    ['canceled', cancel, 'WORKFLOW_CANCELED', 'WORKFLOW_CANCELLED'],
    ['expired and swept', sweep, 'WORKFLOW_EXPIRED', 'WORKFLOW_EXPIRED'],
  ] as const
  const steps = [
    ['its time is up', due, 'WORKFLOW_EXPIRED', 'WORKFLOW_EXPIRED'],
    ['its template takes no votes', close, 'WORKFLOW_TEMPLATE_NOT_ACTIVE', 'WORKFLOW_TEMPLATE_NOT_ACTIVE'],
    ['in no group at all', leave('all'), 'ENTITY_NOT_IN_GROUP', 'ENTITY_NOT_IN_REQUIRED_GROUP'],
    ['no right to vote', unseat, 'NO_PERMISSIONS', 'ENTITY_NOT_ELIGIBLE_TO_VOTE'],
    ['in none of its groups', leave('the rule’s'), 'ENTITY_NOT_IN_GROUP', 'ENTITY_NOT_IN_REQUIRED_GROUP'],
  ] as const
  type Step = (typeof terminal | typeof steps)[number]

  let serial = 0
  const situation = async (): Promise<Situation> => {
    const client = await world.voter(`Someone${++serial}`, [world.guards])
    return { id: await world.opened(), client, groups: [world.guards] }
  }
  /** Puts these in the way, the last reason first, and holds the answers of canVote and of every vote to the first one's. */
  const expectFirst = async (given: readonly Step[]) => {
    const met = await situation()
    for (const [, arrange] of given.toReversed()) await arrange(met)
    const [, , reason, code] = given[0] as Step
    expect(await world.canVote(met.client, met.id)).toEqual(mayNot(reason))
    for (const type of ['APPROVE', 'VETO', 'WITHDRAW'] as const) {
      expect((await world.vote(met.client, met.id, type)).body).toMatchObject({ code })
    }
  }
  const all: readonly Step[] = [...terminal, ...steps]

  it.each(all)('%s alone', async (...step) => await expectFirst([step as unknown as Step]))

  // Later steps that can stand beside each one, all of them at once and one by one.
  const after = (step: Step) => steps.slice(Math.max(0, steps.indexOf(step as (typeof steps)[number]) + 1))
  const pairs = all.flatMap((first) => {
    const later = after(first).filter((next) => next !== steps[0] || (first as Step) !== terminal[2])
    return later.map((second) => ({ first, second, title: `${first[0]} before ${second[0]}` }))
  })
  it.each(pairs.filter(({ first, second }) => !clash(first, second)))('$title', async ({ first, second }) => {
    await expectFirst([first, second])
  })

  /** Steps that undo each other, or cannot follow one another. */
  function clash(first: Step, second: Step): boolean {
    const isApproved = first === terminal[0] || first === terminal[1] || first === terminal[2]
    // An overdue or closed request is no longer approved or canceled; that order cannot come about.
    if (isApproved && (second === steps[0] || second === steps[1])) return true
    return first === steps[2] && second === steps[4]
  }

  it.each(terminal)('%s before a template that takes no votes and a deadline that passed', async (...step) => {
    const met = await situation()
    await step[1](met)
    await due(met)
    await close(met)
    await unseat(met)
    expect(await world.canVote(met.client, met.id)).toEqual(mayNot(step[2]))
  })

  it('being in a group is asked before the right, and the right before the group of the rule', async () => {
    const id = await world.opened()
    const someone = await world.person('Nobody')
    expect(await world.canVote(someone, id)).toEqual(mayNot('ENTITY_NOT_IN_GROUP'))
    await insertGroup(world.ctx, [someone.id])
    expect(await world.canVote(someone, id)).toEqual(mayNot('NO_PERMISSIONS'))
    await giveRole(world.ctx, someone.id)
    expect(await world.canVote(someone, id)).toEqual(mayNot('ENTITY_NOT_IN_GROUP'))
    await addMember(world.ctx, world.guards, someone.id)
    expect(await world.canVote(someone, id)).toEqual(may())
  })

  it('an admin has no bypass', async () => {
    const id = await world.opened()
    const admin = await world.person('Chief', { admin: true })
    expect(await world.canVote(admin, id)).toEqual(mayNot('ENTITY_NOT_IN_GROUP'))
    await addMember(world.ctx, world.guards, admin.id)
    expect(await world.canVote(admin, id)).toEqual(mayNot('NO_PERMISSIONS'))
  })

  it('deadlines are reached at their exact instant', async () => {
    const id = await world.opened()
    await world.expiresIn(1, { id })
    expect(await world.canVote(world.cleo, id)).toEqual(may())
    await world.expiresIn(0, { id })
    expect(await world.canVote(world.cleo, id)).toEqual(mayNot('WORKFLOW_EXPIRED'))
  })

  it('a template out of use takes votes unless its workflows were canceled', async () => {
    const id = await world.opened()
    await deprecated(world, await templateOf(id))
    expect(await world.canVote(world.cleo, id)).toEqual(may())
    const other = await world.opened()
    const updated = await world.ada.put(`${templates}/${await templateOf(other)}`, { cancelWorkflows: true })
    expect(updated.status).toBe(200)
    expect(await world.canVote(world.cleo, other)).toEqual(mayNot('WORKFLOW_CANCELED'))
  })
})

it('excludes the requester where the template says so', async () => {
  const id = await world.opened({ options: { requesterMayVote: false } })
  await giveRole(world.ctx, world.ada.id)
  await addMember(world.ctx, world.guards, world.ada.id)
  expect(await world.canVote(world.ada, id)).toEqual(mayNot('NO_PERMISSIONS'))
  expect(await world.canVote(world.dan, id)).toEqual(may())
})

it('a final veto has a reason of its own', async () => {
  const id = await world.opened({ options: { veto: 'final' } })
  expect(await world.voted(world.cleo, id, 'VETO')).toBe('REJECTED')
  expect(await world.canVote(world.dan, id)).toEqual(mayNot('WORKFLOW_REJECTED'))
})
