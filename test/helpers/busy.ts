import type { KeyObject } from 'node:crypto'
import { expireRequests } from '../../src/approvals/expire-requests.ts'
import { stepUpPurpose } from '../../src/identity/step-up.ts'
import { insertSingleUseToken } from '../../src/store/single-use-tokens.ts'
import { makeBusyCustody } from './busy-custody.ts'
import { madeId } from './directory.ts'
import { orgId } from './quorum.ts'
import { newKeyPair, pemOf, sign } from './signing.ts'
import { newNonce, voteHeader } from './vote-signatures.ts'
import type { Answer, Client, World } from './world.ts'

/** What a busy world was made of, for a test to go on with. */
export interface Busy {
  readonly ada: Client
  readonly voters: readonly [Client, Client, Client, Client]
  readonly guards: string
  readonly space: string
  /** Workflows by what they came to. */
  readonly workflows: Readonly<Record<string, string>>
}

/**
 * An organization to which everything happens that leaves a leaf about who may decide what, and what was decided. All of it by
 * the API or the use cases behind it, so that no row is without its leaf.
 */
export async function makeBusy(world: World): Promise<Busy> {
  const ada = await world.person('Ada', { admin: true })
  const names = ['Ben', 'Cleo', 'Dana', 'Eli'] as const
  const people: Client[] = []
  for (const name of names) people.push(await world.person(name))
  const voters = people as unknown as Busy['voters']
  const [ben, cleo, dana, eli] = voters
  const guards = await group(ada, 'guards', [ben, cleo, dana, eli])
  const others = await group(ada, 'others', [ben, cleo])
  const space = madeId(await ada.post('/spaces', { name: 'Works', description: 'Where it happens.' }))
  for (const voter of voters) await give(ada, voter, 'WorkflowTemplateVoter', { type: 'space', spaceId: space })
  await directoryChanges(world, ada, voters, others)

  const template = async (members: object = {}) =>
    (await ok(ada.post('/workflow-templates', draft({ spaceId: space, approvalRule: need(guards, 2), ...members }))))
      .body.id
  const workflows: Record<string, string> = {}
  const open = async (as: string, templateId: string) =>
    (workflows[as] = madeId(
      await ada.post('/workflows', { name: `busy-${as}`, workflowTemplateId: templateId, metadata: { as } }),
    ))

  const plain = await template({ metadata: { kept: 'yes' }, description: 'Two of the guards.' })
  const approved = await open('approved', plain)
  world.clock.advance(1_000)
  await vote(ben, approved, 'APPROVE', [guards], 'because')
  await vote(cleo, approved, 'APPROVE', [guards])
  const vetoed = await open('vetoed', plain)
  await vote(ben, vetoed, 'VETO', [], 'not so fast')
  const changed = await open('changed', plain)
  await vote(ben, changed, 'APPROVE', [guards])
  await vote(ben, changed, 'WITHDRAW')
  await vote(cleo, changed, 'VETO')
  await vote(cleo, changed, 'WITHDRAW')
  await vote(dana, changed, 'APPROVE', [guards])
  await ok(ada.post(`/v1/workflows/${await open('canceled', plain)}/cancel`))
  await open('open', plain)

  // Of three who approve one has lost the seat when the decision is near.
  const lapsing = await open('lapsed', await template({ approvalRule: need(guards, 3) }))
  await vote(ben, lapsing, 'APPROVE', [guards])
  await vote(cleo, lapsing, 'APPROVE', [guards])
  await ok(ada.delete(`/groups/${guards}/entities`, entities([cleo])))
  await vote(dana, lapsing, 'APPROVE', [guards])
  await vote(eli, lapsing, 'APPROVE', [guards])
  await ok(ada.post(`/groups/${guards}/entities`, entities([cleo])))

  await stagedWorkflows({ ada, voters, guards, others, template, open })
  await naturalPersons({ world, ada, ben, cleo, guards, space, template, open })

  const final = await open('final', await template({ options: { veto: 'final' } }))
  await vote(ben, final, 'VETO')
  const distinct = await template({
    approvalRule: { type: 'AND', rules: [need(guards, 1), need(others, 1)] },
    options: { distinctPeople: true, recheckEligibility: false, requesterMayVote: false },
  })
  const matched = await open('distinct', distinct)
  await vote(ben, matched, 'APPROVE', [guards, others])
  await vote(ben, matched, 'APPROVE', [others])
  await vote(dana, matched, 'APPROVE', [guards])

  const privileged = await open(
    'privileged',
    await template({ approvalRule: { ...need(guards, 1), requireHighPrivilege: true } }),
  )
  await vote(await steppedUp(world, ben), privileged, 'APPROVE', [guards])

  await rolesForAWhile(ada, voters)
  await makeBusyCustody(world, ada)

  const brief = await template({ defaultExpiresInHours: 1 })
  const expired = await open('expired', brief)
  await vote(ben, expired, 'APPROVE', [guards])
  await templateChanges(world, ada, voters, { guards, space, plain, template, open })
  world.clock.advance(2 * 3_600_000)
  await expireRequests(world.ctx)
  // By now their tokens have expired.
  const again = ({ id }: Client) => world.signedIn(id)
  return {
    ada: await again(ada),
    voters: [await again(ben), await again(cleo), await again(dana), await again(eli)],
    guards,
    space,
    workflows,
  }
}

/** Roles of the PrivX API: given, asked for and approved, used, revoked, and one that nobody has decided on. */
async function rolesForAWhile(ada: Client, [ben, cleo, dana, eli]: Busy['voters']): Promise<void> {
  const [engine, store] = ['/workflow-engine/api/v1', '/role-store/api/v1']
  const approver = await made(ada.post(`${store}/roles`, { name: 'approver' }))
  const operator = await made(ada.post(`${store}/roles`, { name: 'operator', comment: 'Runs it.' }))
  const roles = [{ id: approver, name: 'approver', explicit: true }]
  for (const { id } of [ben, cleo]) await ok(ada.put(`${store}/users/${id}/roles`, roles))
  const workflow = {
    name: 'Operators',
    comment: 'Whoever is to run it.',
    target_roles: [{ id: operator }],
    grant_types: ['PERMANENT', 'FLOATING'],
    can_bypass_revoke_workflow: true,
    steps: [{ name: 'one', match: 'ANY', approvers: [{ role: { id: approver } }] }],
  }
  const flow = await made(ada.post(`${engine}/workflows`, workflow))
  const ask = async (who: Client, terms: object) =>
    await made(
      ada.post(`${engine}/requests`, { requested_role: { id: operator }, target_user: { id: who.id }, ...terms }),
    )
  const approve = async (by: Client, request: string) =>
    await ok(by.post(`${engine}/requests/${request}/decision`, { step: 0, decision: 'APPROVED', comment: 'fine' }))

  await approve(ben, await ask(dana, { grant_type: 'PERMANENT' }))
  const floating = await ask(eli, { grant_type: 'FLOATING', floating_length: 4 })
  await approve(cleo, floating)
  const { body } = await ok(eli.get('/v1/grants'))
  for (const { id } of body.grants) await ok(eli.post(`/v1/grants/${id}/use`))
  const revoked = await ask(cleo, { grant_type: 'PERMANENT', comment: 'for the night' })
  await approve(ben, revoked)
  await ok(ben.post(`${engine}/requests/${revoked}/role/revoke`))
  await ok(ada.put(`${engine}/workflows/${flow}`, { ...workflow, comment: 'Whoever runs it.' }))
  await ask(ben, { grant_type: 'PERMANENT', request_justification: 'I run it by night.', comment: 'please' })
  await localUsersAndClients(ada, operator)
  await workflowChanges(ada, approver, operator)
}

/** Who signs in by a secret: with and without one, changed and removed. */
async function localUsersAndClients(ada: Client, role: string): Promise<void> {
  const store = '/local-user-store/api/v1'
  const user = async (username: string, more: object = {}) =>
    await made(ada.post(`${store}/users`, { username, full_name: `${username} of the store`, ...more }))
  const first = { password: 'correct horse battery' }
  const kept = await user('ursula', { password: first, email: 'ursula@example.com', tags: ['night'] })
  await ok(ada.put(`${store}/users/${kept}`, { username: 'ursel', full_name: 'Ursel', department: 'Works' }))
  await ok(ada.put(`${store}/users/${kept}/password`, { password: 'another horse battery' }))
  await user('nobody')
  await ok(ada.delete(`${store}/users/${await user('gone', { password: first })}`))
  const client = async (name: string) => await made(ada.post(`${store}/api-clients`, { name, roles: [{ id: role }] }))
  await ok(ada.put(`${store}/api-clients/${await client('runner')}`, { name: 'walker', roles: [{ id: role }] }))
  await ok(ada.delete(`${store}/api-clients/${await client('idle')}`))
}

/** Workflows that are others by now or gone, roles too, and the settings of all. */
async function workflowChanges(ada: Client, approver: string, target: string): Promise<void> {
  const [engine, store] = ['/workflow-engine/api/v1', '/role-store/api/v1']
  const role = await made(
    ada.post(`${store}/roles`, {
      name: 'passing',
      comment: 'Passes.',
      context: { floor: 'third' },
      permissions: ['requests-view'],
    }),
  )
  await ok(
    ada.put(`${store}/roles/${role}`, { name: 'passed', permissions: ['workflows-view'], comment: 'Was passing.' }),
  )
  const workflow = (members: object = {}) => ({
    name: 'Passing',
    comment: 'Who passes.',
    target_roles: [{ id: role }],
    steps: [{ name: 'first', match: 'ALL', approvers: [{ role: { id: approver } }] }],
    ...members,
  })
  const changed = await made(ada.post(`${engine}/workflows`, workflow({ requester_roles: [{ id: target }] })))
  const later = [
    { name: 'first', match: 'ANY', approvers: [{ role: { id: approver } }] },
    { name: 'second', match: 'ANY', approvers: [{ role: { id: approver } }] },
  ]
  await ok(ada.put(`${engine}/workflows/${changed}`, workflow({ name: 'Passed', steps: later, action: 'BOTH' })))
  await ok(
    ada.delete(`${engine}/workflows/${await made(ada.post(`${engine}/workflows`, workflow({ name: 'Dropped' })))}`),
  )
  await ok(ada.delete(`${store}/roles/${role}`))
  const settings = { smtp_server: 'mail.example.com', smtp_server_username: 'quorate', smtp_server_password: 'secret' }
  await ok(ada.put(`${engine}/settings`, settings))
  await ok(ada.put(`${engine}/settings`, { ...settings, smtp_sender_address: 'quorate@example.com' }))
}

async function directoryChanges(world: World, ada: Client, voters: Busy['voters'], group: string): Promise<void> {
  const [ben, cleo, dana] = voters
  const paul = madeId(await ada.post('/users', { displayName: 'Paul', email: 'paul@example.com', orgRole: 'member' }))
  await ok(ada.post('/organization/default/admins', { email: 'paul@example.com' }))
  await ok(ada.post('/organization/default/admins', { email: 'ben@example.com' }))
  await ok(ada.delete('/organization/default/admins', { userId: ben.id }))
  await ok(ada.post(`/groups/${group}/entities`, entities([dana, { id: paul }])))
  await ok(ada.delete(`/groups/${group}/entities`, entities([dana])))
  const roles = { roles: [{ roleName: 'GroupManager', scope: { type: 'group', groupId: group } }] }
  await ok(ada.put(`/users/${paul}/roles`, roles))
  const wide = { roleName: 'OrgWideWorkflowTemplateVoter', scope: { type: 'org' } }
  await ok(ada.put(`/users/${paul}/roles`, { roles: [...roles.roles, wide] }))
  await ok(ada.delete(`/users/${paul}/roles`, roles), [204, 200])
  world.clock.advance(1_000)
  await ok(ada.post(`/v1/users/${paul}/disable`))
  await ok(ada.post(`/v1/users/${cleo.id}/disable`))
  await ok(ada.post(`/v1/users/${cleo.id}/enable`))

  const quota = { limit: 40, scope: 'Org', quotaType: 'MAX_GROUPS', targetId: orgId }
  const { body } = await ok(ada.post('/quotas', quota))
  await ok(ada.patch(`/quotas/${body.id}`, { limit: 50 }))
  const gone = await ok(ada.post('/quotas', { ...quota, quotaType: 'MAX_SPACES' }))
  await ok(ada.delete(`/quotas/${gone.body.id}`))
  await ok(ada.post('/quotas', { ...quota, quotaType: 'MAX_VOTES_PER_WORKFLOW', limit: 100 }))

  const key = await ok(ben.post('/v1/api-keys', { name: 'CI', scopes: ['native:read', 'native:write'] }))
  await ok(ben.post(`/v1/api-keys/${key.body.id}/rotate`, { graceSeconds: 600 }))
  const revoked = await ok(ben.post('/v1/api-keys', { name: 'Old', scopes: ['native:read'] }))
  await ok(ben.delete(`/v1/api-keys/${revoked.body.id}`))
}

type Template = (members?: object) => Promise<string>
type Open = (as: string, templateId: string) => Promise<string>

async function stagedWorkflows({
  ada,
  voters: [ben, cleo, dana],
  guards,
  others,
  template,
  open,
}: {
  ada: Client
  voters: Busy['voters']
  guards: string
  others: string
  template: Template
  open: Open
}): Promise<void> {
  const stages = [
    { name: 'Heard', advisory: true, approvalRule: need(others, 2) },
    { name: 'Decided', approvalRule: { type: 'OR', rules: [need(guards, 2), need(others, 2)] } },
    { approvalRule: need(guards, 1) },
  ]
  const staged = await template({ approvalRule: undefined, stages })
  const closed = await open('staged', staged)
  await vote(ben, closed, 'APPROVE', [others])
  await ok(ada.post(`/v1/workflows/${closed}/close-stage`))
  await vote(ben, closed, 'APPROVE', [guards, others])
  await vote(cleo, closed, 'APPROVE', [others])
  await vote(dana, closed, 'APPROVE', [guards])
  const heard = await open('heard', staged)
  await vote(ben, heard, 'APPROVE', [others])
  await vote(cleo, heard, 'APPROVE', [others])
}

/** Agents: registered, with other keys, owners and rights; votes that they sign; and votes that count as their person's. */
async function naturalPersons({
  world,
  ada,
  ben,
  cleo,
  guards,
  space,
  template,
  open,
}: {
  world: World
  ada: Client
  ben: Client
  cleo: Client
  guards: string
  space: string
  template: Template
  open: Open
}): Promise<void> {
  const robot = await agent(world, ben, 'robot')
  const other = await agent(world, ben, 'other')
  await ok(
    ada.post(`/groups/${guards}/entities`, {
      entities: [entityOf(robot.client.id, 'agent'), entityOf(other.client.id, 'agent')],
    }),
  )
  for (const { client } of [robot, other]) {
    const scope = { type: 'space', spaceId: space }
    await ok(ada.put(`/agents/${client.id}/roles`, { roles: [{ roleName: 'WorkflowTemplateVoter', scope }] }))
  }
  const signed = await open('signed', await template({ approvalRule: { ...need(guards, 1), requireSignature: true } }))
  await signedVote(world, robot, signed, guards)

  const persons = await template({ approvalRule: need(guards, 2), options: { naturalPersons: true } })
  const counted = await open('counted', persons)
  await vote(ben, counted, 'APPROVE', [guards])
  await vote(robot.client, counted, 'APPROVE', [guards])
  await vote(other.client, counted, 'APPROVE', [guards])
  await ok(ada.patch(`/v1/agents/${other.client.id}`, { ownerId: cleo.id, dpopRequired: true }))
  await vote(cleo, counted, 'VETO')
  await vote(cleo, counted, 'WITHDRAW')
  await vote(ben, counted, 'APPROVE', [guards])
  await vote(cleo, counted, 'APPROVE', [guards])

  await ok(ben.post(`/v1/agents/${robot.client.id}/revoke`))
  await ok(ben.post(`/v1/agents/${robot.client.id}/restore`))
  await ok(ada.post(`/v1/agents/${other.client.id}/revoke`))
}

async function templateChanges(
  world: World,
  ada: Client,
  [ben]: Busy['voters'],
  {
    guards,
    space,
    plain,
    template,
    open,
  }: { guards: string; space: string; plain: string; template: Template; open: Open },
): Promise<void> {
  const next = await ok(
    ada.put(`/workflow-templates/${plain}`, { description: 'One is enough.', approvalRule: need(guards, 1) }),
  )
  await vote(ben, await open('newer', next.body.id), 'APPROVE', [guards])
  const dropped = await template()
  await open('dropped', dropped)
  await ok(ada.post(`/workflow-templates/${dropped}/deprecate`, { cancelWorkflows: true }))
  const drained = await template()
  const left = await open('left', drained)
  await ok(ada.post(`/workflow-templates/${drained}/deprecate`, { cancelWorkflows: false }))
  await ok(ada.post(`/v1/workflows/${left}/cancel`))

  const deleted = await template({ name: 'Deleted' })
  await give(ada, ben, 'WorkflowTemplateVoter', { type: 'workflow_template', workflowTemplateId: deleted }, space)
  await vote(ben, await open('deleted', deleted), 'APPROVE', [guards])
  await ok(ada.delete(`/workflow-templates/${deleted}`))
  await give(ada, ben, 'WorkflowTemplateVoter', { type: 'space', spaceId: space })

  const shed = madeId(await ada.post('/spaces', { name: 'Shed' }))
  await open('shed', await template({ spaceId: shed, name: 'Shed' }))
  await ok(ada.delete(`/spaces/${shed}`))
  world.clock.advance(1_000)
}

interface Agent {
  readonly client: Client
  readonly privateKey: KeyObject
}

async function agent(world: World, owner: Client, name: string): Promise<Agent> {
  const id = madeId(await owner.post('/agents/register', { agentName: name }))
  const { privateKey, publicKey } = await newKeyPair(3072)
  await ok(owner.post(`/v1/agents/${id}/rotate-key`, { publicKey: Buffer.from(pemOf(publicKey)).toString('base64') }))
  return { client: await world.signedIn(id), privateKey }
}

async function signedVote(
  world: World,
  { client, privateKey }: Agent,
  workflowId: string,
  groupId: string,
): Promise<void> {
  const { body } = await ok(client.get(`/v1/workflows/${workflowId}/content`))
  const claims = {
    iss: client.id,
    org: orgId,
    request: workflowId,
    digest: body.digest,
    policyDigest: body.content.policyDigest,
    stance: 'approve',
    stage: body.stage,
    seats: [groupId],
    iat: Math.floor(world.clock.now().getTime() / 1000),
    nonce: newNonce(),
  }
  const signature = await sign(privateKey, claims, voteHeader)
  const voteType = { type: 'APPROVE', votedForGroups: [groupId] }
  await ok(client.post(`/workflows/${workflowId}/vote`, { voteType, signature }))
}

async function steppedUp(world: World, { id: principalId }: Client): Promise<Client> {
  const token = { id: world.ctx.newId(), purpose: stepUpPurpose, orgId, principalId }
  await insertSingleUseToken(world.ctx.db, token, new Date(world.clock.now().getTime() + 120_000))
  return await world.signedIn(principalId, { tokenId: token.id, operation: 'vote', resource: null })
}

async function group(ada: Client, name: string, members: readonly Client[]): Promise<string> {
  const id = madeId(await ada.post('/groups', { name, description: `The ${name}.` }))
  await ok(ada.post(`/groups/${id}/entities`, entities(members)))
  return id
}

async function give(ada: Client, to: Client, roleName: string, scope: object, keepIn?: string): Promise<void> {
  const kept = keepIn === undefined ? [] : [{ roleName, scope: { type: 'space', spaceId: keepIn } }]
  await ok(ada.put(`/users/${to.id}/roles`, { roles: [...kept, { roleName, scope }] }))
}

async function vote(
  client: Client,
  workflowId: string,
  type: 'APPROVE' | 'VETO' | 'WITHDRAW',
  groups: readonly string[] = [],
  reason?: string,
): Promise<void> {
  const voteType = { type, ...(type === 'APPROVE' && { votedForGroups: groups }) }
  await ok(client.post(`/workflows/${workflowId}/vote`, { voteType, ...(reason !== undefined && { reason }) }))
}

let drafts = 0
const draft = (members: object) => ({ name: `Busy ${++drafts}`, ...members })
const need = (groupId: string, minCount: number) => ({ type: 'GROUP_REQUIREMENT', groupId, minCount })
const entityOf = (entityId: string, entityType: 'human' | 'agent' = 'human') => ({ entity: { entityType, entityId } })
const entities = (members: readonly { readonly id: string }[]) => ({ entities: members.map(({ id }) => entityOf(id)) })

/** The id that an answer of the PrivX API names. */
async function made(answer: Promise<Answer>): Promise<string> {
  return String((await ok(answer)).body.id)
}

async function ok(answer: Promise<Answer>, statuses: readonly number[] = [200, 201, 202, 204]): Promise<Answer> {
  const settled = await answer
  if (!statuses.includes(settled.status)) throw new Error(`answered ${settled.status} ${JSON.stringify(settled.body)}`)
  return settled
}
