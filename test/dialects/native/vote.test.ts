import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stepUpPurpose } from '../../../src/identity/step-up.ts'
import { insertSingleUseToken } from '../../../src/store/single-use-tokens.ts'
import { quota } from '../../helpers/directory.ts'
import { addMember, giveRole, insertGroup, insertSpace, orgId } from '../../helpers/quorum.ts'
import { insertAgent } from '../../helpers/rows.ts'
import { expectRefusal, nowhere } from '../../helpers/templates.ts'
import type { Answer, Client } from '../../helpers/world.ts'
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
/** Open all the while: no vote of these tests decides it. */
let open: string
/** Its only group is protected. */
let locked: string
let keepers: string
let keeper: Client
let bot: Client

beforeAll(async () => {
  world = await startWorkflowWorld()
  open = await world.opened({ approvalRule: world.rule(99) }, { name: 'open' })
  keeper = await world.voter('Keeper')
  bot = world.robot
  keepers = await insertGroup(world.ctx, [keeper.id, bot.id])
  locked = await world.opened({ approvalRule: guarded(99) })
})
afterAll(() => world.close())

const guarded = (minCount = 1) => ({ ...world.rule(minCount, keepers), requireHighPrivilege: true })
const url = (id: string) => `${workflows}/${id}/vote`
const approval = (groups: readonly unknown[] = [world.guards]) => ({
  voteType: { type: 'APPROVE', votedForGroups: groups },
})
const votesOf = async (id: string) => (await world.ben.get(`${workflows}/${id}/votes`)).body.votes

describe('POST /workflows/{workflowId}/vote 200', () => {
  it('answers an object with what the workflow is now', async () => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    expect(await world.vote(world.cleo, id, 'APPROVE')).toMatchObject({
      status: 200,
      body: { workflowStatus: 'EVALUATION_IN_PROGRESS' },
    })
    expect((await world.vote(world.dan, id, 'APPROVE')).body).toEqual({ workflowStatus: 'APPROVED' })
  })

  it.each(['open', 'OPEN ID'])('takes the workflow by name and by id in capitals: %s', async (key) => {
    const path = key === 'open' ? key : open.toUpperCase()
    expect((await world.cleo.post(url(path), approval())).status).toBe(200)
  })

  it.each([
    ['no reason', {}, undefined],
    ['null as reason', { reason: null }, undefined],
    ['an empty reason', { reason: '' }, ''],
    ['the longest reason', { reason: 'x'.repeat(1024) }, 'x'.repeat(1024)],
    ['members that nobody knows', { reason: 'ok', vote: 1, voteType: { type: 'VETO', x: 1 } }, 'ok'],
  ])('%s', async (_, members, reason) => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    expect((await world.cleo.post(url(id), { ...approval(), ...members })).status).toBe(200)
    const [vote] = await votesOf(id)
    expect(vote.reason).toBe(reason)
  })

  it('counts a group once however often and in whatever case it is named', async () => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    const groups = [world.guards, world.guards.toUpperCase(), world.guards]
    expect(await world.voted(world.cleo, id, 'APPROVE', groups)).toBe('EVALUATION_IN_PROGRESS')
    expect(await votesOf(id)).toMatchObject([{ votedForGroups: [world.guards] }])
  })

  it('an approval for no group stands and counts for nothing', async () => {
    const id = await world.opened()
    expect(await world.voted(world.cleo, id, 'APPROVE', [])).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.canVote(world.cleo, id)).toMatchObject({ voteStatus: 'ALREADY_VOTED' })
    // It replaces the veto that its voter gave before.
    expect(await world.voted(world.dan, id, 'VETO')).toBe('REJECTED')
    expect(await world.voted(world.dan, id, 'APPROVE', [])).toBe('EVALUATION_IN_PROGRESS')
  })

  it('one approval fills the seats of several groups', async () => {
    const both = await world.voter('Both')
    const [a, b] = [await insertGroup(world.ctx, [both.id]), await insertGroup(world.ctx, [both.id])]
    const rules = [world.rule(1, a), world.rule(1, b)]
    const id = await world.opened({ approvalRule: { type: 'AND', rules } })
    expect(await world.voted(both, id, 'APPROVE', [a, b])).toBe('APPROVED')
  })

  it('a member may name a group that the rule does not mention: it counts for nothing', async () => {
    const extra = await insertGroup(world.ctx, [world.cleo.id])
    const id = await world.opened()
    expect(await world.voted(world.cleo, id, 'APPROVE', [extra])).toBe('EVALUATION_IN_PROGRESS')
    expect(await votesOf(id)).toMatchObject([{ votedForGroups: [extra] }])
  })

  it.each([
    ['WorkflowTemplateVoter', 'space'],
    ['WorkflowTemplateFullAccess', 'workflow_template'],
    ['WorkflowTemplateVoter', 'org'],
  ] as const)('with %s at the %s', async (role, type) => {
    const name = `Voted by ${role} ${type}`
    const id = await world.opened({ name })
    const someone = await world.person(`Someone${role}${type}`)
    await addMember(world.ctx, world.guards, someone.id)
    expectRefusal(await world.vote(someone, id, 'APPROVE'), 403, 'ENTITY_NOT_ELIGIBLE_TO_VOTE')
    await giveRole(world.ctx, someone.id, role, {
      type,
      id: { org: '', space: world.space, workflow_template: name }[type],
    })
    expect(await world.voted(someone, id, 'APPROVE')).toBe('APPROVED')
  })
})

const malformed = (name: string, code: string, field: string | undefined, body: () => unknown): Refused => [
  name,
  400,
  code,
  field,
  () => () => world.cleo.post(url(open), body()),
]

/** A refusal of a vote on a workflow of its own, after `arrange`. */
const refused = (
  name: string,
  status: number,
  code: string,
  arrange: (id: string) => Promise<unknown>,
  cast: (id: string) => Promise<Answer>,
  field?: string,
): Refused => [
  name,
  status,
  code,
  field,
  async () => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    await arrange(id)
    return () => cast(id)
  },
]

const all = ['APPROVE', 'VETO', 'WITHDRAW'] as const
const none = async () => {}
const approved = async (id: string) => {
  await world.voted(world.cleo, id, 'APPROVE')
  expect(await world.voted(world.dan, id, 'APPROVE')).toBe('APPROVED')
}
const canceled = async (id: string) =>
  expect((await world.ada.post(`/v1/workflows/${id}/cancel`)).body).toEqual({ workflowStatus: 'CANCELED' })
const templateOf = async (id: string) => (await world.ben.get(`${workflows}/${id}`)).body.workflowTemplateId
const closed = async (id: string) => {
  const policyId = await templateOf(id)
  await world.ctx.db
    .updateTable('policies')
    .set({ status: 'pending-deprecation', takes_votes_when_inactive: false })
    .where('id', '=', policyId)
    .execute()
}

refusals('POST /workflows/{workflowId}/vote', () => world, [
  malformed('no body', 'MALFORMED_REQUEST', undefined, () => undefined),
  malformed('an empty body', 'MALFORMED_REQUEST', undefined, () => ''),
  malformed('a list', 'MALFORMED_REQUEST', undefined, () => []),
  malformed('a text', 'MALFORMED_REQUEST', undefined, () => '"APPROVE"'),
  malformed('null', 'MALFORMED_REQUEST', undefined, () => 'null'),
  malformed('a NUL in the reason', 'MALFORMED_REQUEST', 'reason', () => ({ ...approval(), reason: 'a\0' })),
  malformed('half a pair in the reason', 'MALFORMED_REQUEST', 'reason', () => ({ ...approval(), reason: '\ud800' })),
  malformed('a number too large', 'MALFORMED_REQUEST', 'x', () => '{"voteType":{"type":"VETO"},"x":1e400}'),
  malformed('no voteType', 'VOTE_TYPE_MISSING', 'voteType', () => ({ reason: 'x' })),
  malformed('null as voteType', 'VOTE_TYPE_MALFORMED', 'voteType', () => ({ voteType: null })),
  malformed('a text as voteType', 'VOTE_TYPE_MALFORMED', 'voteType', () => ({ voteType: 'APPROVE' })),
  malformed('a list as voteType', 'VOTE_TYPE_MALFORMED', 'voteType', () => ({ voteType: [] })),
  malformed('a voteType without type', 'VOTE_TYPE_MALFORMED', 'voteType.type', () => ({ voteType: {} })),
  malformed('a number as type', 'VOTE_TYPE_MALFORMED', 'voteType.type', () => ({ voteType: { type: 1 } })),
  malformed('an unknown type', 'VOTE_TYPE_INVALID', 'voteType.type', () => ({ voteType: { type: 'ABSTAIN' } })),
  malformed('a type in small letters', 'VOTE_TYPE_INVALID', 'voteType.type', () => ({ voteType: { type: 'approve' } })),
  malformed('a type that objects have anyway', 'VOTE_TYPE_INVALID', 'voteType.type', () => ({
    voteType: { type: 'toString' },
  })),
  malformed('no votedForGroups', 'VOTED_FOR_GROUPS_MISSING', 'voteType.votedForGroups', () => ({
    voteType: { type: 'APPROVE' },
  })),
  ...(
    [
      ['a text', 'x'],
      ['null', null],
      ['an object', {}],
      ['a number in it', [7]],
      ['a list in it', [[]]],
      ['more than a thousand', Array.from({ length: 1001 }, () => nowhere)],
    ] as const
  ).map(([name, votedForGroups]) =>
    malformed(`${name} as votedForGroups`, 'VOTED_FOR_GROUPS_INVALID', 'voteType.votedForGroups', () => ({
      voteType: { type: 'APPROVE', votedForGroups },
    })),
  ),
  malformed('a number as reason', 'REASON_INVALID', 'reason', () => ({ ...approval(), reason: 7 })),
  malformed('a list as reason', 'REASON_INVALID', 'reason', () => ({ ...approval(), reason: [] })),
  malformed('1025 characters', 'VOTE_REASON_TOO_LONG', 'reason', () => ({ ...approval(), reason: 'x'.repeat(1025) })),
  malformed('a group by name', 'VOTE_INVALID_GROUP_ID', 'voteType.votedForGroups[1]', () =>
    approval([world.guards, 'guards']),
  ),
  malformed('a group id of version 4', 'VOTE_INVALID_GROUP_ID', 'voteType.votedForGroups[0]', () =>
    approval(['01890000-0000-4000-8000-000000000000']),
  ),
  ...[nowhere, 'no-such-name', '01890000-0000-4000-8000-000000000000', '..%2F', '%20'].map((key): Refused => [
    `an unknown workflow: ${key}`,
    404,
    'WORKFLOW_NOT_FOUND',
    undefined,
    () => () => world.cleo.post(url(key), approval()),
  ]),
  [
    'a wrong shape, before the workflow is looked for',
    400,
    'VOTE_TYPE_MISSING',
    'voteType',
    () => () => world.cleo.post(url(nowhere), {}),
  ],
  ['no token', 401, 'MISSING_JWT_TOKEN', undefined, () => () => world.anyone.post(url(open), {})],
  refused(
    'no right, though in the group, an admin too',
    403,
    'ENTITY_NOT_ELIGIBLE_TO_VOTE',
    () => addMember(world.ctx, world.guards, world.ada.id),
    (id) => world.vote(world.ada, id, 'APPROVE'),
  ),
  refused(
    'a right in another space',
    403,
    'ENTITY_NOT_ELIGIBLE_TO_VOTE',
    async () => {
      await addMember(world.ctx, world.guards, world.ben.id)
      await giveRole(world.ctx, world.ben.id, 'WorkflowTemplateVoter', {
        type: 'space',
        id: await insertSpace(world.ctx),
      })
    },
    (id) => world.vote(world.ben, id, 'VETO'),
  ),
  ...all.flatMap((type) => [
    refused(`${type} on an approved workflow`, 422, 'WORKFLOW_ALREADY_APPROVED', approved, (id) =>
      world.vote(world.eli, id, type),
    ),
    refused(`${type} on a canceled workflow`, 422, 'WORKFLOW_CANCELLED', canceled, (id) =>
      world.vote(world.eli, id, type),
    ),
    refused(
      `${type} on an expired workflow`,
      422,
      'WORKFLOW_EXPIRED',
      (id) => world.expiresIn(0, { id }),
      (id) => world.vote(world.eli, id, type),
    ),
    refused(`${type} on a closed template`, 422, 'WORKFLOW_TEMPLATE_NOT_ACTIVE', closed, (id) =>
      world.vote(world.eli, id, type),
    ),
    refused(`${type} by who is in no group of the rule`, 422, 'ENTITY_NOT_IN_REQUIRED_GROUP', none, (id) =>
      world.vote(keeper, id, type, [keepers]),
    ),
  ]),
  refused(
    'who is in no group at all',
    422,
    'ENTITY_NOT_IN_REQUIRED_GROUP',
    none,
    async (id) => await world.vote(await world.signedIn(loner.id), id, 'APPROVE'),
  ),
  refused(
    'a group of which the voter is no member',
    422,
    'ENTITY_NOT_IN_REQUIRED_GROUP',
    none,
    (id) => world.vote(world.cleo, id, 'APPROVE', [world.guards, keepers]),
    'voteType.votedForGroups',
  ),
  refused(
    'a group that does not exist',
    422,
    'ENTITY_NOT_IN_REQUIRED_GROUP',
    none,
    (id) => world.vote(world.cleo, id, 'APPROVE', [nowhere]),
    'voteType.votedForGroups',
  ),
])

let loner: Client
beforeAll(async () => void (loner = await world.voter('Loner')))

describe('step-up', () => {
  const approve = async (client: Client, id = locked, groups = [keepers]) => {
    const answer = await world.vote(client, id, 'APPROVE', groups)
    return answer.status === 200 ? answer.body.workflowStatus : `${answer.status} ${answer.body.code}`
  }

  it.each(all)('403 STEP_UP_CONTEXT_MISSING: %s with an access token alone', async (type) => {
    const before = await storedIn(world)
    expectRefusal(await world.vote(keeper, locked, type, [keepers]), 403, 'STEP_UP_CONTEXT_MISSING')
    expect(await storedIn(world)).toEqual(before)
  })

  it('403 STEP_UP_OPERATION_MISMATCH: a token for another operation, which is not spent', async () => {
    const before = [await world.steppedUp(keeper, { operation: 'admin_action' }), await storedIn(world)] as const
    expectRefusal(await world.vote(before[0], locked, 'APPROVE', [keepers]), 403, 'STEP_UP_OPERATION_MISMATCH')
    expect(await storedIn(world)).toEqual(before[1])
  })

  it('403 STEP_UP_RESOURCE_MISMATCH: a token for another workflow, which it still fits', async () => {
    const other = await world.opened({ approvalRule: guarded() })
    const client = await world.steppedUp(keeper, { resource: other })
    const before = await storedIn(world)
    expectRefusal(await world.vote(client, locked, 'APPROVE', [keepers]), 403, 'STEP_UP_RESOURCE_MISMATCH')
    expect(await storedIn(world)).toEqual(before)
    expect(await approve(client, other)).toBe('APPROVED')
  })

  it('403 STEP_UP_TOKEN_ALREADY_USED: each token is good for one vote', async () => {
    const client = await world.steppedUp(keeper)
    expect(await approve(client)).toBe('EVALUATION_IN_PROGRESS')
    const before = await storedIn(world)
    expectRefusal(await world.vote(client, locked, 'APPROVE', [keepers]), 403, 'STEP_UP_TOKEN_ALREADY_USED')
    expect(await storedIn(world)).toEqual(before)
    const other = await world.opened({ approvalRule: guarded() })
    expect(await approve(client, other)).toBe('403 STEP_UP_TOKEN_ALREADY_USED')
  })

  it('a token that was never issued, one issued to another, and one for another purpose are refused', async () => {
    const invented = await world.signedIn(keeper.id, { tokenId: nowhere, operation: 'vote', resource: null })
    expect(await approve(invented)).toBe('403 STEP_UP_TOKEN_ALREADY_USED')
    const tokenId = world.ctx.newId()
    const at = new Date(world.clock.now().getTime() + 120_000)
    const token = { id: tokenId, orgId, principalId: world.cleo.id, purpose: stepUpPurpose }
    await insertSingleUseToken(world.ctx.db, token, at)
    const stolen = await world.signedIn(keeper.id, { tokenId, operation: 'vote', resource: null })
    expect(await approve(stolen)).toBe('403 STEP_UP_TOKEN_ALREADY_USED')
    await world.ctx.db
      .updateTable('single_use_tokens')
      .set({ principal_id: keeper.id, purpose: 'other' })
      .where('id', '=', tokenId)
      .execute()
    expect(await approve(stolen)).toBe('403 STEP_UP_TOKEN_ALREADY_USED')
  })

  it('a token without resource fits any workflow, one bound to this fits, named by whatever key', async () => {
    const id = await world.opened({ approvalRule: guarded(9) }, { name: 'by-any-key' })
    expect(await approve(await world.steppedUp(keeper), id)).toBe('EVALUATION_IN_PROGRESS')
    expect(await approve(await world.steppedUp(keeper, { resource: id }), id)).toBe('EVALUATION_IN_PROGRESS')
    expect(await approve(await world.steppedUp(keeper, { resource: id }), 'by-any-key')).toBe('EVALUATION_IN_PROGRESS')
    expect(await approve(await world.steppedUp(keeper, { resource: id }), id.toUpperCase())).toBe(
      'EVALUATION_IN_PROGRESS',
    )
    expect(await approve(await world.steppedUp(keeper, { resource: 'by-any-key' }), id)).toBe(
      '403 STEP_UP_RESOURCE_MISMATCH',
    )
  })

  it('lives two minutes', async () => {
    const client = await world.steppedUp(keeper)
    const now = world.clock.now()
    world.clock.advance(120_000)
    expect(await approve(client)).toBe('401 JWT_TOKEN_EXPIRED')
    world.clock.set(new Date(now.getTime() + 119_999))
    expect(await approve(client)).toBe('EVALUATION_IN_PROGRESS')
    world.clock.set(now)
  })

  it('a refused vote does not spend it', async () => {
    const id = await world.opened({ approvalRule: guarded() })
    const client = await world.steppedUp(keeper)
    const before = await storedIn(world)
    expect(await approve(client, nowhere)).toBe('404 WORKFLOW_NOT_FOUND')
    expect(await approve(client, id, [keepers, world.guards])).toBe('422 ENTITY_NOT_IN_REQUIRED_GROUP')
    expect((await client.post(url(id), {})).status).toBe(400)
    const lift = await quota(world, 'MAX_VOTES_PER_WORKFLOW', 0, 'Workflow', id)
    expect(await approve(client, id)).toBe('403 QUOTA_EXCEEDED')
    await lift()
    expect(await storedIn(world)).toEqual(before)
    expect(await approve(client, id)).toBe('APPROVED')
    expect(await approve(client, id)).toBe('422 WORKFLOW_ALREADY_APPROVED')
  })

  it('is not asked for an approval of open groups alone, and then it is not spent', async () => {
    const both = await world.voter('Double', [world.guards, keepers])
    const rules = [world.rule(9), guarded(9)]
    const id = await world.opened({ approvalRule: { type: 'AND', rules } })
    expect(await approve(both, id, [world.guards])).toBe('EVALUATION_IN_PROGRESS')
    expect(await approve(both, id, [])).toBe('EVALUATION_IN_PROGRESS')
    const client = await world.steppedUp(both)
    expect(await approve(client, id, [world.guards])).toBe('EVALUATION_IN_PROGRESS')
    expect(await approve(client, id, [world.guards, keepers])).toBe('EVALUATION_IN_PROGRESS')
    expect(await approve(client, id, [keepers])).toBe('403 STEP_UP_TOKEN_ALREADY_USED')
    // Where canVote asks for it, so do a veto and its withdrawal.
    expect((await world.vote(both, id, 'VETO')).body.code).toBe('STEP_UP_CONTEXT_MISSING')
    expect(await world.voted(await world.steppedUp(both), id, 'VETO')).toBe('REJECTED')
    expect((await world.vote(both, id, 'WITHDRAW')).body.code).toBe('STEP_UP_CONTEXT_MISSING')
    expect(await world.voted(await world.steppedUp(both), id, 'WITHDRAW')).toBe('EVALUATION_IN_PROGRESS')
  })

  it('403 ENTITY_NOT_SUPPORTED: an agent cannot approve for a protected group, and may veto', async () => {
    const id = await world.opened({ approvalRule: guarded(2) })
    const before = await storedIn(world)
    expectRefusal(await world.vote(bot, id, 'APPROVE', [keepers]), 403, 'ENTITY_NOT_SUPPORTED')
    expect(await storedIn(world)).toEqual(before)
    expect(await world.canVote(bot, id)).toEqual({
      canVote: true,
      voteStatus: 'VOTE_PENDING',
      requireHighPrivilege: false,
    })
    expect(await world.voted(bot, id, 'APPROVE', [])).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(bot, id, 'VETO')).toBe('REJECTED')
    expect(await world.voted(bot, id, 'WITHDRAW')).toBe('EVALUATION_IN_PROGRESS')
  })
})

describe('POST /workflows/{workflowId}/vote 403 QUOTA_EXCEEDED', () => {
  const type = 'MAX_VOTES_PER_WORKFLOW'
  const said = async (client: Client, id: string, stance: (typeof all)[number]) => {
    const { status, body } = await world.vote(client, id, stance)
    return status === 200 ? body.workflowStatus : `${status} ${body.code}`
  }

  it('counts every stored vote of the workflow, withdrawn or not; what the vote would be is told first', async () => {
    const id = await world.opened({ approvalRule: world.rule(3) })
    const lift = await quota(world, type, 2, 'Workflow', id)
    expect(await said(world.cleo, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    expect(await said(world.cleo, id, 'WITHDRAW')).toBe('EVALUATION_IN_PROGRESS')
    const before = await storedIn(world)
    for (const stance of all) expect(await said(world.dan, id, stance)).toBe('403 QUOTA_EXCEEDED')
    expect(await said(keeper, id, 'APPROVE')).toBe('422 ENTITY_NOT_IN_REQUIRED_GROUP')
    expect(await storedIn(world)).toEqual(before)
    await lift()
    expect(await said(world.dan, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
  })

  it("the workflow's own quota holds before the organization's", async () => {
    const [own, other] = [
      await world.opened({ approvalRule: world.rule(3) }),
      await world.opened({ approvalRule: world.rule(3) }),
    ]
    const lifts = [await quota(world, type, 0), await quota(world, type, 1, 'Workflow', own)]
    expect(await said(world.cleo, own, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    expect(await said(world.dan, own, 'APPROVE')).toBe('403 QUOTA_EXCEEDED')
    expect(await said(world.cleo, other, 'VETO')).toBe('403 QUOTA_EXCEEDED')
    // Before the proof, which a full quota makes needless, whatever it is worth.
    const wrong = await world.steppedUp(keeper, { operation: 'admin_action' })
    expect((await world.vote(wrong, locked, 'APPROVE', [keepers])).body.code).toBe('QUOTA_EXCEEDED')
    expect((await world.vote(keeper, locked, 'APPROVE', [keepers])).body.code).toBe('QUOTA_EXCEEDED')
    expect((await world.vote(bot, locked, 'APPROVE', [keepers])).body.code).toBe('QUOTA_EXCEEDED')
    await Promise.all(lifts.map((lift) => lift()))
  })
})

describe('POST /workflows/{workflowId}/vote with an Idempotency-Key', () => {
  it('votes once and answers a repetition the same, even after the decision; another body is refused', async () => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    const headers = { 'idempotency-key': 'vote-once' }
    const cast = async (body: object, at = id) => await world.cleo.post(url(at), body, headers)
    const first = await cast(approval())
    expect(first).toMatchObject({ status: 200, body: { workflowStatus: 'EVALUATION_IN_PROGRESS' } })
    expect(await world.voted(world.dan, id, 'APPROVE')).toBe('APPROVED')
    expect(await cast(approval())).toMatchObject({ status: 200, body: first.body })
    expect(await votesOf(id)).toHaveLength(2)
    expectRefusal(await cast({ voteType: { type: 'VETO' } }), 422, 'IDEMPOTENCY_KEY_REUSED')
    expectRefusal(await cast(approval(), open), 422, 'IDEMPOTENCY_KEY_REUSED')
    // The key is the caller's own, and a refused vote gives it back.
    expect((await world.eli.post(url(id), approval(), headers)).body.code).toBe('WORKFLOW_ALREADY_APPROVED')
    expect((await world.eli.post(url(open), approval(), headers)).status).toBe(200)
  })

  it('spends the step-up token once', async () => {
    const client = await world.steppedUp(keeper)
    const headers = { 'idempotency-key': 'step-up-once' }
    const cast = async () => await client.post(url(locked), approval([keepers]), headers)
    const first = await cast()
    expect(first.status).toBe(200)
    expect(await cast()).toMatchObject({ status: 200, body: first.body })
  })

  it.each(['', ' ', 'x'.repeat(256), 'ü'])('400 INVALID_IDEMPOTENCY_KEY: %j', async (key) => {
    const before = await storedIn(world)
    const answer = await world.cleo.post(url(open), approval(), { 'idempotency-key': key })
    expectRefusal(answer, 400, 'INVALID_IDEMPOTENCY_KEY', 'Idempotency-Key')
    expect(await storedIn(world)).toEqual(before)
  })
})

it('votes on a deprecated template whose workflows go on', async () => {
  const id = await world.opened()
  await deprecated(world, await templateOf(id))
  expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('APPROVED')
})

it('401 USER_NOT_FOUND, AGENT_NOT_FOUND: callers who are disabled', async () => {
  const person = await world.voter('Gone', [world.guards])
  const agent = await world.signedIn(await insertAgent(world.ctx, 'gone'))
  const ids = [person.id, agent.id]
  const at = world.clock.now()
  await world.ctx.db.updateTable('principals').set({ disabled_at: at }).where('id', 'in', ids).execute()
  const before = await storedIn(world)
  expectRefusal(await world.vote(person, open, 'APPROVE'), 401, 'USER_NOT_FOUND')
  expectRefusal(await world.vote(agent, open, 'VETO'), 401, 'AGENT_NOT_FOUND')
  expect(await storedIn(world)).toEqual(before)
})
