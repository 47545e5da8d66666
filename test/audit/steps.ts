import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { workflowOptions } from '../../src/access/workflow.ts'
import { deleteRequest } from '../../src/approvals/delete-request.ts'
import { expireRequests } from '../../src/approvals/expire-requests.ts'
import { policyInLeaf } from '../../src/approvals/policy-leaf.ts'
import { revokeGrantOfRequest } from '../../src/approvals/revoke-grant.ts'
import { appendLeaf } from '../../src/audit/append.ts'
import { policyDigest } from '../../src/audit/digest.ts'
import type { Leaf, LeafKind } from '../../src/audit/leaf.ts'
import { endDueGrants } from '../../src/identity/grants/end-due-grants.ts'
import { noLimits } from '../../src/kernel/grant-terms.ts'
import { findPolicy } from '../../src/store/policies.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { runDueJobs } from '../../src/jobs/worker.ts'
import { goodAssertion, nonceFor, pemOf, proofFor, redeem, type Machine } from '../helpers/agents.ts'
import { accessSteps } from './access-steps.ts'
import { custodySteps } from './custody-steps.ts'
import { factorSteps } from './factor-steps.ts'
import { workflowEngineSteps } from './workflow-engine-steps.ts'
import { openBrowser, type Browser } from '../helpers/browser.ts'
import { insertDelivery } from '../helpers/delivery-rows.ts'
import { startHttpSink, type HttpSink } from '../helpers/http-sink.ts'
import { insertPolicy, nativeOptions, orgId } from '../helpers/quorum.ts'
import { callerOf, withRoles } from '../helpers/role-requests.ts'
import { startedSignIn } from '../helpers/sign-in.ts'
import { newKeyPair, sign } from '../helpers/signing.ts'
import { exchange, stepUpInBrowser, stepUpProof } from '../helpers/step-up.ts'
import { goodClaims, voteHeader } from '../helpers/vote-signatures.ts'
import type { WorkflowWorld } from '../helpers/workflows.ts'
import { startWorld, type Answer, type Client, type World } from '../helpers/world.ts'

export type Facts = Readonly<Record<string, unknown>>
type Said = readonly [kind: LeafKind, facts: Facts]

/** Something that happens, the leaves that it leaves, and the tables of state whose rows it changes. */
export interface Step {
  /** A call as its route is written, or what else happens; after a colon and a blank what is special about it. */
  readonly name: string
  readonly does: () => Promise<Answer | void>
  readonly leaves?: () => readonly Said[]
  readonly changes?: readonly string[]
  /** By default Ada; a list where each leaf has another. */
  readonly by?: () => object
}

/** Set by `startScene`. */
export let world: World
let sink: HttpSink
let browser: Browser
export let ada: Client
let cleo: Client
let bot: Machine
let botClient: Client
let rotatedKey: Machine['privateKey']
export const ids: Record<string, string> = {}
export const id = (name: string): string => ids[name] ?? `no ${name} yet`
export const any = expect.any(String)
const number = expect.any(Number)
/** What is told of a security key that is registered. */
export const newKeyFacts = (format: string): Facts => ({
  key: any,
  format,
  counter: number,
  credentialSha256: any,
  publicKeySha256: any,
  detailsSha256: any,
})
export const countedFacts = { key: any, counter: number }
const system = () => ({ kind: 'system' })
export const byAda = () => ({ kind: 'human', id: ada.id })
const byCleo = () => ({ kind: 'human', id: cleo.id })
const byBot = () => ({ kind: 'agent', id: bot.id })

/** An empty store, and somebody to be called after decisions. */
export async function startScene(): Promise<AsyncDisposable> {
  sink = await startHttpSink((response) => response.end())
  const env = { QUORATE_FORTANIX_OPEN_SIGNUP: '1' }
  world = await startWorld({ start: new Date(), network: sink.network, env })
  browser = openBrowser(world)
  return {
    async [Symbol.asyncDispose]() {
      await world.close()
      await sink[Symbol.asyncDispose]()
    },
  }
}

/** Every name and text of this file has it in it, so that none can get into a leaf unnoticed. */
export const text = (what: string): string => `zebra ${what}`
const email = (who: string): string => `${who}.zebra@example.com`

/** Keeps the id at the end of a 201's Location, or in its body, under a name. */
export async function made(name: string, call: Promise<Answer>): Promise<Answer> {
  const answer = await call
  if (answer.status === 201) {
    ids[name] = answer.body?.id ?? String(answer.headers['location']).split('/').at(-1)
  }
  return answer
}

async function signedIn(who: string): Promise<{ answer: Answer; client: Client }> {
  const answer = await world.anyone.post('/auth/cli/token', await startedSignIn(world, email(who)))
  const person = await world.ctx.db
    .selectFrom('principals')
    .select('id')
    .where('email', '=', email(who))
    .executeTakeFirst()
  return { answer, client: world.withToken(person?.id ?? '', answer.body.accessToken ?? '') }
}

const personOf = async (principalId: string): Promise<string | null> =>
  (
    await world.ctx.db
      .selectFrom('principals')
      .select('person_id')
      .where('id', '=', principalId)
      .executeTakeFirstOrThrow()
  ).person_id

const inSpace = (roleName: string) => ({ roleName, scope: { type: 'space', spaceId: id('space') } })
const everywhere = (roleName: string) => ({ roleName, scope: { type: 'org' } })
const onTemplate = (roleName: string) => ({
  roleName,
  scope: { type: 'workflow_template', templateName: text('release') },
})
const orgRole = (roleName: string) => ({ roleName, scopeType: 'org', scopeId: '' })
const voter = 'WorkflowTemplateVoter'
const asker = 'WorkflowTemplateInstantiator'
const entity = (kind: 'human' | 'agent', entityId: string) => ({ entity: { entityType: kind, entityId } })
const seat = (minCount = 1, more: object = {}) => ({
  type: 'GROUP_REQUIREMENT',
  groupId: id('group'),
  minCount,
  ...more,
})
const kernelSeat = (atLeast = 1) => ({ kind: 'seats', atLeast, from: { kind: 'group', id: id('group') } })
const hook = { type: 'WEBHOOK', url: 'https://zebra.example/in', on: ['CANCELED'] }
const signingOptions = { ...nativeOptions, recheckEligibility: false }

const policyFacts = (version: number, stages: readonly { binding: boolean; rule: object }[], options: object) => ({
  dialect: 'native',
  space: id('space'),
  version,
  stages,
  options,
  policyDigest: policyDigest({ stages, options }),
  actionsHmac: any,
})
const openWorkflow = (name: string, template: string): Promise<Answer> =>
  made(name, ada.post('/workflows', { name: `zebra-${name}-${++opened}`, workflowTemplateId: id(template) }))
let opened = 0
const requestFacts = (template: string) => ({
  dialect: 'native',
  digest: any,
  policy: id(template),
  policyDigest: any,
  requester: ada.id,
  person: id('ada.person'),
  expiresAt: any,
})
const vote = (client: Client, workflow: string, type = 'APPROVE', more: object = {}): Promise<Answer> =>
  client.post(`/workflows/${id(workflow)}/vote`, {
    voteType: { type, ...(type === 'APPROVE' && { votedForGroups: [id('group')] }) },
    ...more,
  })
const cleosVote = (seq: number) => ({
  seq,
  stage: 0,
  stance: 'approve',
  seats: [id('group')],
  person: id('cleo.person'),
  assurance: [],
  digest: any,
})
const closing = (template: string, to: string) => ({
  digest: any,
  policy: id(template),
  seq: 0,
  stage: 0,
  from: 'open',
  to,
})

const roleStages = () =>
  [0, 1].map(
    () => ({ binding: true, rule: { kind: 'seats', atLeast: 1, from: { kind: 'group', id: id('role') } } }) as const,
  )
const danInRole = () => ({ principal: id('dan'), group: id('role') })
const roleVote = (seq: number, stage: number) => ({
  seq,
  stage,
  stance: 'approve',
  seats: [id('role')],
  person: id('ada.person'),
  assurance: [],
  digest: any,
  policy: id('roleRule'),
  lapsed: {},
  from: 'open',
  to: 'open',
})

/** In this order: each stands on those before. */
export const steps: readonly Step[] = [
  // People, and their sign-ins.
  {
    name: 'POST /auth/cli/token: the first sign-in of all',
    does: async () => {
      const { answer, client } = await signedIn('ada')
      ada = client
      if (answer.status === 200) ids['ada.person'] = String(await personOf(ada.id))
      return answer
    },
    leaves: () => [
      ['user.created', { person: id('ada.person'), admin: true }],
      ['admin.added', { admin: any }],
      ['user.signed-in', { signIn: any, channel: 'cli' }],
    ],
    changes: ['organization_admins', 'people', 'principals', 'sessions'],
    by: () => expect.anything() as object,
  },
  {
    name: 'POST /users',
    does: () =>
      made('cleo', ada.post('/users', { displayName: text('Cleo'), email: email('cleo'), orgRole: 'member' })),
    leaves: () => [['user.created', { person: any, admin: false }]],
    changes: ['people', 'principals'],
  },
  {
    name: 'POST /users: as an admin',
    does: () => made('dan', ada.post('/users', { displayName: text('Dan'), email: email('dan'), orgRole: 'admin' })),
    leaves: () => [
      ['user.created', { person: any, admin: true }],
      ['admin.added', { admin: any }],
    ],
    changes: ['organization_admins', 'people', 'principals'],
  },
  {
    name: 'DELETE /organization/:organization/admins',
    does: () => ada.delete('/organization/default/admins', { userId: id('dan') }),
    leaves: () => [['admin.removed', {}]],
    changes: ['organization_admins'],
  },
  {
    name: 'POST /organization/:organization/admins',
    does: () => ada.post('/organization/default/admins', { email: email('dan') }),
    leaves: () => [['admin.added', { admin: any }]],
    changes: ['organization_admins'],
  },
  {
    name: 'POST /auth/cli/initiate',
    does: () => world.anyone.post('/auth/cli/initiate', { redirectUri: 'http://localhost:1/' }),
  },
  { name: 'GET /auth/web/login', does: () => browser.get('/auth/web/login') },
  {
    name: 'GET /auth/web/callback',
    does: () => browser.signIn(email('cleo')),
    leaves: () => [['user.signed-in', { signIn: any, channel: 'web' }]],
    changes: ['sessions'],
    by: () => ({ kind: 'human', id: id('cleo') }),
  },
  {
    name: 'POST /auth/cli/token',
    does: async () => {
      const { answer, client } = await signedIn('cleo')
      cleo = client
      ids['refresh'] = answer.body.refreshToken
      ids['cleo.person'] = String(await personOf(cleo.id))
      return answer
    },
    leaves: () => [['user.signed-in', { signIn: any, channel: 'cli' }]],
    changes: ['sessions'],
    by: byCleo,
  },
  { name: 'POST /auth/web/refresh', does: () => browser.send('POST', '/auth/web/refresh') },
  {
    name: 'POST /auth/cli/refresh',
    does: () => world.anyone.post('/auth/cli/refresh', { refreshToken: id('refresh') }),
  },
  {
    name: 'POST /auth/cli/refresh: again, too late',
    does: async () => {
      world.clock.advance(60_000)
      const { status } = await world.anyone.post('/auth/cli/refresh', { refreshToken: id('refresh') })
      world.clock.set(new Date())
      // Reuse is refused, and ends the sign-in all the same.
      if (status !== 409) throw new Error(`the reuse answered ${status}`)
    },
    leaves: () => [['sessions.ended', { session: any, ended: 1, because: 'reuse' }]],
    changes: ['sessions'],
    by: () => expect.anything() as object,
  },
  {
    name: 'GET /auth/cli/initiatePrivilegedTokenExchange',
    does: () => ada.get('/auth/cli/initiatePrivilegedTokenExchange'),
  },
  {
    name: 'POST /auth/cli/exchangePrivilegedToken',
    does: async () =>
      await exchange(ada, { ...(await stepUpProof(world, ada, email('ada'))), operation: 'vote', resourceId: 'zebra' }),
    leaves: () => [['user.stepped-up', { token: any, operation: 'vote' }]],
  },
  {
    name: 'POST /auth/web/initiatePrivilegedTokenExchange',
    does: () => browser.send('POST', '/auth/web/initiatePrivilegedTokenExchange'),
  },
  {
    name: 'POST /auth/web/exchangePrivilegedToken',
    does: () => stepUpInBrowser(world, browser, email('cleo'), { operation: 'vote' }),
    leaves: () => [['user.stepped-up', { token: any, operation: 'vote' }]],
    by: byCleo,
  },
  {
    name: 'POST /auth/web/logout',
    does: async () => {
      // A sign-out that fails has the browser forget all the same: let it try again.
      const jar = new Map(browser.jar)
      const answer = await browser.send('POST', '/auth/web/logout')
      if (answer.status >= 500) for (const [name, cookie] of jar) browser.jar.set(name, cookie)
      return answer
    },
    leaves: () => [['sessions.ended', { session: any, ended: 1, because: 'signed-out' }]],
    changes: ['sessions'],
    by: byCleo,
  },
  {
    name: 'DELETE /v1/sessions/:sessionId',
    does: async () => {
      cleo = await world.signedIn(id('cleo'))
      const { answer } = await signedIn('cleo')
      const session = await openSession('cleo')
      return answer.status === 200 ? await cleo.delete(`/v1/sessions/${session}`) : answer
    },
    leaves: () => [
      ['user.signed-in', { signIn: any, channel: 'cli' }],
      ['sessions.ended', { session: any, ended: 1, because: 'revoked' }],
    ],
    changes: ['sessions'],
    by: byCleo,
  },
  {
    name: 'DELETE /v1/sessions',
    does: async () => {
      const { answer } = await signedIn('cleo')
      return answer.status === 200 ? await cleo.delete('/v1/sessions') : answer
    },
    leaves: () => [
      ['user.signed-in', { signIn: any, channel: 'cli' }],
      ['sessions.ended', { session: null, ended: 1, because: 'revoked' }],
    ],
    changes: ['sessions'],
    by: byCleo,
  },
  {
    name: 'POST /v1/users/:userId/disable',
    does: () => ada.post(`/v1/users/${id('dan')}/disable`),
    leaves: () => [['user.disabled', {}]],
    changes: ['principals'],
  },
  { name: 'POST /v1/users/:userId/disable: again', does: () => ada.post(`/v1/users/${id('dan')}/disable`) },
  {
    name: 'POST /v1/users/:userId/enable',
    does: () => ada.post(`/v1/users/${id('dan')}/enable`),
    leaves: () => [['user.enabled', {}]],
    changes: ['principals'],
  },
  // Agents.
  {
    name: 'POST /agents/register',
    does: async () => {
      const answer = await ada.post('/agents/register', { agentName: text('bot') })
      if (answer.status === 201) ids['bot'] = answer.body.agentId
      return answer
    },
    leaves: () => [['agent.registered', { person: id('ada.person'), publicKeySha256: any }]],
    changes: ['principals'],
  },
  {
    name: 'POST /v1/agents/:agentId/rotate-key',
    does: async () => {
      const { privateKey, publicKey } = await newKeyPair(3072)
      rotatedKey = privateKey
      bot = { id: id('bot'), name: text('bot'), privateKey, publicKey }
      const body = { publicKey: Buffer.from(pemOf(publicKey)).toString('base64') }
      return await ada.post(`/v1/agents/${id('bot')}/rotate-key`, body)
    },
    leaves: () => [
      ['agent.key-rotated', { publicKeySha256: createHash('sha256').update(pemOf(bot.publicKey)).digest('hex') }],
    ],
    changes: ['principals'],
  },
  {
    name: 'POST /auth/agents/challenge',
    does: () => world.anyone.post('/auth/agents/challenge', { agentName: text('bot') }),
  },
  {
    name: 'POST /auth/agents/token',
    does: async () => {
      const answer = await redeem(world, await sign(rotatedKey, goodAssertion(world, bot, await nonceFor(world, bot))))
      ids['bot.refresh'] = answer.body.refreshToken
      return answer
    },
    leaves: () => [['agent.signed-in', { signIn: any, isBound: false }]],
    changes: ['sessions'],
    by: byBot,
  },
  {
    name: 'POST /auth/agents/refresh',
    does: async () => {
      const path = '/auth/agents/refresh'
      const dpop = await proofFor(world as World, bot, 'POST', path)
      return await world.anyone.post(path, { refreshToken: id('bot.refresh') }, { dpop })
    },
  },
  {
    name: 'PATCH /v1/agents/:agentId',
    does: () => ada.patch(`/v1/agents/${id('bot')}`, { dpopRequired: true }),
    leaves: () => [['agent.changed', { dpopRequired: true, person: id('ada.person') }]],
    changes: ['principals'],
  },
  {
    name: 'PATCH /v1/agents/:agentId: to another person and back',
    does: async () => {
      const answer = await ada.patch(`/v1/agents/${id('bot')}`, { ownerId: cleo.id })
      return answer.status === 200 ? await ada.patch(`/v1/agents/${id('bot')}`, { ownerId: ada.id }) : answer
    },
    leaves: () => [
      ['agent.changed', { dpopRequired: true, person: id('cleo.person') }],
      ['agent.changed', { dpopRequired: true, person: id('ada.person') }],
    ],
    changes: ['former_owners'],
  },
  {
    name: 'PATCH /v1/agents/:agentId: to what it is',
    does: () => ada.patch(`/v1/agents/${id('bot')}`, { dpopRequired: true }),
  },
  {
    name: 'PATCH /v1/agents/:agentId: back again',
    does: () => ada.patch(`/v1/agents/${id('bot')}`, { dpopRequired: false }),
    leaves: () => [['agent.changed', { dpopRequired: false, person: id('ada.person') }]],
    changes: ['principals'],
  },
  {
    name: 'POST /v1/agents/:agentId/revoke',
    does: () => ada.post(`/v1/agents/${id('bot')}/revoke`),
    leaves: () => [
      ['sessions.ended', { session: null, ended: 1, because: 'agent-revoked' }],
      ['agent.revoked', { byAdmin: true }],
    ],
    changes: ['principals', 'sessions'],
  },
  {
    name: 'POST /v1/agents/:agentId/restore',
    does: () => ada.post(`/v1/agents/${id('bot')}/restore`),
    leaves: () => [['agent.restored', {}]],
    changes: ['principals'],
  },
  // Keys.
  {
    name: 'POST /v1/api-keys',
    does: async () => {
      const answer = await ada.post('/v1/api-keys', {
        name: text('key'),
        principalId: bot.id,
        scopes: ['native:read', 'native:write'],
      })
      ids['key'] = answer.body.id
      ids['key.text'] = answer.body.key
      return answer
    },
    leaves: () => [
      [
        'api-key.created',
        {
          principal: bot.id,
          scopes: ['native:read', 'native:write'],
          expiresAt: any,
          secretSha256: sha256(id('key.text')),
        },
      ],
    ],
    changes: ['api_keys'],
  },
  {
    name: 'POST /v1/api-keys/:keyId/rotate',
    does: async () => {
      const answer = await ada.post(`/v1/api-keys/${id('key')}/rotate`, { graceSeconds: 60 })
      ids['key.text'] = answer.body.key ?? id('key.text')
      return answer
    },
    leaves: () => [['api-key.rotated', { principal: bot.id, graceSeconds: 60, secretSha256: sha256(id('key.text')) }]],
    changes: ['api_keys'],
  },
  {
    name: 'DELETE /v1/api-keys/:keyId',
    does: () => ada.delete(`/v1/api-keys/${id('key')}`),
    leaves: () => [['api-key.revoked', { principal: bot.id }]],
    changes: ['api_keys'],
  },
  {
    name: 'GET /v1/webhook-keys: the first time',
    does: async () => {
      const answer = await ada.get('/v1/webhook-keys')
      ids['webhook'] = Object.values(answer.body as Record<string, { id: string }[]>)[0]?.[0]?.id ?? ''
      return answer
    },
    leaves: () => [['webhook-key.created', {}]],
    changes: ['webhook_keys'],
    by: system,
  },
  {
    name: 'POST /v1/webhook-keys',
    does: () => ada.post('/v1/webhook-keys', { overlapHours: 2 }),
    leaves: () => [['webhook-key.created', { overlapHours: 2 }]],
    changes: ['webhook_keys'],
  },
  {
    name: 'GET /v1/webhook-keys/:keyId/secret',
    does: () => ada.get(`/v1/webhook-keys/${id('webhook')}/secret`),
    leaves: () => [['webhook-key.read', {}]],
  },
  {
    name: 'DELETE /v1/webhook-keys/:keyId',
    does: () => ada.delete(`/v1/webhook-keys/${id('webhook')}`),
    leaves: () => [['webhook-key.revoked', {}]],
    changes: ['webhook_keys'],
  },
  // Groups, spaces, roles and quotas.
  {
    name: 'POST /groups',
    does: () => made('group', ada.post('/groups', { name: 'zebra-guards', description: text('They guard.') })),
    leaves: () => [
      [
        'group.created',
        { member: ada.id, roles: [{ roleName: 'GroupManager', scopeType: 'group', scopeId: id('group') }] },
      ],
    ],
    changes: ['groups', 'memberships', 'role_bindings'],
  },
  {
    name: 'POST /groups/:groupId/entities',
    does: () =>
      ada.post(`/groups/${id('group')}/entities`, {
        entities: [entity('human', cleo.id), entity('agent', bot.id), entity('human', id('dan'))],
      }),
    leaves: () => [
      [
        'memberships.added',
        {
          members: [
            { kind: 'human', id: cleo.id },
            { kind: 'agent', id: bot.id },
            { kind: 'human', id: id('dan') },
          ],
        },
      ],
    ],
    changes: ['groups', 'memberships'],
  },
  {
    name: 'DELETE /groups/:groupId/entities',
    does: () => ada.delete(`/groups/${id('group')}/entities`, { entities: [entity('human', id('dan'))] }),
    leaves: () => [['memberships.removed', { members: [{ kind: 'human', id: id('dan') }] }]],
    changes: ['groups', 'memberships'],
  },
  {
    name: 'POST /spaces',
    does: () => made('space', ada.post('/spaces', { name: text('space'), description: text('Nothing is here.') })),
    leaves: () => [
      [
        'space.created',
        { holder: ada.id, roles: [{ roleName: 'SpaceManager', scopeType: 'space', scopeId: id('space') }] },
      ],
    ],
    changes: ['role_bindings', 'spaces'],
  },
  {
    name: 'PUT /users/:userId/roles',
    does: () => ada.put(`/users/${cleo.id}/roles`, { roles: [everywhere(`OrgWide${voter}`), inSpace(asker)] }),
    leaves: () => [
      [
        'roles.assigned',
        {
          holder: 'human',
          roles: expect.arrayContaining([
            orgRole(`OrgWide${voter}`),
            { roleName: asker, scopeType: 'space', scopeId: id('space') },
          ]),
        },
      ],
    ],
    changes: ['role_bindings'],
  },
  {
    name: 'PUT /users/:userId/roles: in place of others',
    does: () => ada.put(`/users/${cleo.id}/roles`, { roles: [everywhere(`OrgWide${voter}`), inSpace(voter)] }),
    leaves: () => [
      ['roles.removed', { holder: 'human', roles: [{ roleName: asker, scopeType: 'space', scopeId: id('space') }] }],
      ['roles.assigned', { holder: 'human', roles: [{ roleName: voter, scopeType: 'space', scopeId: id('space') }] }],
    ],
    changes: ['role_bindings'],
  },
  {
    name: 'PUT /users/:userId/roles: to what they are',
    does: () => ada.put(`/users/${cleo.id}/roles`, { roles: [everywhere(`OrgWide${voter}`), inSpace(voter)] }),
  },
  {
    name: 'DELETE /users/:userId/roles',
    does: () => ada.delete(`/users/${cleo.id}/roles`, { roles: [inSpace(voter)] }),
    leaves: () => [
      ['roles.removed', { holder: 'human', roles: [{ roleName: voter, scopeType: 'space', scopeId: id('space') }] }],
    ],
    changes: ['role_bindings'],
  },
  {
    name: 'POST /quotas',
    does: () =>
      made('quota', ada.post('/quotas', { limit: 7, scope: 'Org', quotaType: 'MAX_GROUPS', targetId: orgId })),
    leaves: () => [['quota.created', { quotaType: 'MAX_GROUPS', scope: 'Org', targetId: orgId, limit: 7 }]],
    changes: ['quotas'],
  },
  {
    name: 'PATCH /quotas/:quotaId',
    does: () => ada.patch(`/quotas/${id('quota')}`, { limit: 8 }),
    leaves: () => [['quota.changed', { quotaType: 'MAX_GROUPS', scope: 'Org', targetId: orgId, from: 7, limit: 8 }]],
    changes: ['quotas'],
  },
  {
    name: 'DELETE /quotas/:quotaId',
    does: () => ada.delete(`/quotas/${id('quota')}`),
    leaves: () => [['quota.deleted', { quotaType: 'MAX_GROUPS', scope: 'Org', targetId: orgId, limit: 8 }]],
    changes: ['quotas'],
  },
  // Templates.
  {
    name: 'POST /workflow-templates',
    does: () =>
      made(
        'template',
        ada.post('/workflow-templates', {
          name: text('release'),
          description: text('Two of us.'),
          spaceId: id('space'),
          stages: [
            { name: text('heard'), advisory: true, approvalRule: seat(9) },
            { name: text('decided'), approvalRule: seat(2) },
          ],
          metadata: { owner: text('Ada') },
          actions: [hook],
          defaultExpiresInHours: 5,
        }),
      ),
    leaves: () => {
      const stages = [
        { binding: false, rule: kernelSeat(9) },
        { binding: true, rule: kernelSeat(2) },
      ]
      return [['template.created', { ...policyFacts(1, stages, nativeOptions), expiresInHours: 5 }]]
    },
    changes: ['policies'],
  },
  {
    name: 'PUT /agents/:agentId/roles',
    does: () => ada.put(`/agents/${bot.id}/roles`, { roles: [everywhere(`OrgWide${voter}`), onTemplate(asker)] }),
    leaves: () => [
      [
        'roles.assigned',
        {
          holder: 'agent',
          roles: expect.arrayContaining([
            orgRole(`OrgWide${voter}`),
            { roleName: asker, scopeType: 'workflow_template', template: id('template') },
          ]),
        },
      ],
    ],
    changes: ['role_bindings'],
  },
  {
    name: 'DELETE /agents/:agentId/roles',
    does: () => ada.delete(`/agents/${bot.id}/roles`, { roles: [onTemplate(asker)] }),
    leaves: () => [
      [
        'roles.removed',
        { holder: 'agent', roles: [{ roleName: asker, scopeType: 'workflow_template', template: id('template') }] },
      ],
    ],
    changes: ['role_bindings'],
  },
  {
    name: 'PUT /users/:userId/roles: on a template',
    does: () =>
      ada.put(`/users/${ada.id}/roles`, {
        roles: [
          everywhere('OrgWideWorkflowTemplateFullAccess'),
          { roleName: 'GroupManager', scope: { type: 'group', groupId: id('group') } },
          inSpace('SpaceManager'),
          onTemplate(asker),
        ],
      }),
    leaves: () => [
      [
        'roles.assigned',
        {
          holder: 'human',
          roles: expect.arrayContaining([
            { roleName: asker, scopeType: 'workflow_template', template: id('template') },
            orgRole('OrgWideWorkflowTemplateFullAccess'),
          ]),
        },
      ],
    ],
    changes: ['role_bindings'],
  },
  // Workflows.
  {
    name: 'POST /workflows',
    does: () => openWorkflow('staged', 'template'),
    leaves: () => [['request.created', requestFacts('template')]],
    changes: ['requests'],
  },
  {
    name: 'POST /workflows/:workflowId/vote: one that decides nothing',
    does: () => vote(cleo, 'staged', 'APPROVE', { reason: text('why not') }),
    leaves: () => [['vote.cast', { ...cleosVote(1), policy: id('template'), from: 'open', to: 'open' }]],
    changes: ['requests', 'votes'],
    by: byCleo,
  },
  {
    name: 'POST /workflows/:workflowId/vote: a veto, under the lock',
    does: () => vote(cleo, 'staged', 'VETO'),
    leaves: () => [
      [
        'vote.cast',
        {
          ...cleosVote(2),
          stance: 'veto',
          seats: [],
          held: [id('group')],
          policy: id('template'),
          from: 'open',
          to: 'rejected',
        },
      ],
    ],
    changes: ['requests', 'votes'],
    by: byCleo,
  },
  {
    name: 'POST /workflows/:workflowId/vote: a withdrawal',
    does: () => vote(cleo, 'staged', 'WITHDRAW'),
    leaves: () => [
      [
        'vote.cast',
        {
          ...cleosVote(3),
          stance: 'withdraw',
          seats: [],
          held: [id('group')],
          policy: id('template'),
          from: 'rejected',
          to: 'open',
        },
      ],
    ],
    changes: ['requests', 'votes'],
    by: byCleo,
  },
  {
    name: 'POST /v1/workflows/:workflowId/close-stage',
    does: () => ada.post(`/v1/workflows/${id('staged')}/close-stage`),
    leaves: () => [['request.stage-closed', { ...closing('template', 'open'), seq: 3, toStage: 1 }]],
    changes: ['requests'],
  },
  {
    name: 'POST /workflows/:workflowId/vote: in the next stage, leaving out nothing that is held',
    does: () => vote(cleo, 'staged'),
    leaves: () => [['vote.cast', { ...cleosVote(4), stage: 1, policy: id('template'), from: 'open', to: 'open' }]],
    changes: ['requests', 'votes'],
    by: byCleo,
  },
  {
    name: 'DELETE /groups/:groupId/entities: of who has approved',
    does: () => ada.delete(`/groups/${id('group')}/entities`, { entities: [entity('human', cleo.id)] }),
    leaves: () => [['memberships.removed', { members: [{ kind: 'human', id: cleo.id }] }]],
    changes: ['groups', 'memberships'],
  },
  {
    name: 'POST /workflows/:workflowId/vote: one that would decide, had nobody left',
    does: async () => await vote(ada, 'staged'),
    leaves: () => [
      [
        'vote.cast',
        {
          ...cleosVote(5),
          person: id('ada.person'),
          stage: 1,
          policy: id('template'),
          lapsed: { [cleo.id]: [id('group')] },
          from: 'open',
          to: 'open',
        },
      ],
    ],
    changes: ['requests', 'votes'],
  },
  {
    name: 'POST /workflows/:workflowId/vote: one that decides, signed',
    does: async () => {
      botClient = await world.signedIn(bot.id)
      const claims = await goodClaims({ ...world, ada } as unknown as WorkflowWorld, bot, id('staged'), 'APPROVE', [
        id('group'),
      ])
      ids['jws'] = await sign(bot.privateKey, claims, voteHeader)
      return await vote(botClient, 'staged', 'APPROVE', { signature: id('jws') })
    },
    leaves: () => [
      [
        'vote.cast',
        {
          ...cleosVote(6),
          stage: 1,
          person: id('ada.person'),
          assurance: ['signature'],
          signature: sha256(id('jws')),
          policy: id('template'),
          lapsed: { [cleo.id]: [id('group')] },
          from: 'open',
          to: 'approved',
          toStage: 2,
        },
      ],
    ],
    changes: ['requests', 'votes'],
    by: byBot,
  },
  {
    name: 'POST /workflows',
    does: () => openWorkflow('canceled', 'template'),
    leaves: () => [['request.created', requestFacts('template')]],
    changes: ['requests'],
  },
  {
    name: 'POST /v1/workflows/:workflowId/cancel',
    does: () => ada.post(`/v1/workflows/${id('canceled')}/cancel`),
    leaves: () => [['request.canceled', closing('template', 'canceled')]],
    changes: ['requests'],
  },
  {
    name: 'POST /workflows',
    does: () => openWorkflow('expired', 'template'),
    leaves: () => [['request.created', requestFacts('template')]],
    changes: ['requests'],
  },
  {
    name: 'a deadline that passes',
    does: async () => {
      world.clock.advance(6 * 3_600_000)
      try {
        await expireRequests(world.ctx)
      } finally {
        world.clock.set(new Date())
      }
    },
    leaves: () => [['request.expired', closing('template', 'expired')]],
    changes: ['requests'],
    by: system,
  },
  {
    name: 'PUT /workflow-templates/:templateIdentifier',
    does: async () => {
      const answer = await ada.put(`/workflow-templates/${id('template')}`, {
        stages: [{ name: text('signed'), approvalRule: seat(2, { requireSignature: true }) }],
        options: { recheckEligibility: false },
      })
      if (answer.status === 200) ids['second'] = answer.body.id
      return answer
    },
    leaves: () => [
      ['template.deprecated', { cancels: false }],
      ['template.closed', {}],
      [
        'template.updated',
        {
          ...policyFacts(2, [{ binding: true, rule: { ...kernelSeat(2), assurance: ['signature'] } }], signingOptions),
          expiresInHours: 5,
          replaces: id('template'),
        },
      ],
    ],
    changes: ['policies'],
    by: () => expect.anything() as object,
  },
  {
    name: 'POST /workflows',
    does: () => openWorkflow('cut', 'second'),
    leaves: () => [['request.created', requestFacts('second')]],
    changes: ['requests'],
  },
  {
    name: 'POST /workflow-templates/:templateIdentifier/deprecate',
    does: () => ada.post(`/workflow-templates/${id('second')}/deprecate`, { cancelWorkflows: true }),
    leaves: () => [
      ['template.deprecated', { cancels: true }],
      ['request.canceled', closing('second', 'canceled')],
      ['template.closed', {}],
    ],
    changes: ['policies', 'requests'],
    by: () => expect.anything() as object,
  },
  { name: 'the jobs that are due, their work done', does: async () => void (await runDueJobs(world.ctx)) },
  // What is sent.
  {
    name: 'POST /v1/deliveries/:deliveryId/requeue',
    does: async () => {
      ids['delivery'] = await insertDelivery(world.ctx, { status: 'error', request_id: id('cut') })
      return await ada.post(`/v1/deliveries/${id('delivery')}/requeue`)
    },
    leaves: () => [['delivery.requeued', { request: id('cut'), action: 'WEBHOOK' }]],
  },
  {
    name: 'POST /v1/deliveries/requeue',
    does: async () => {
      await world.ctx.db.updateTable('deliveries').set({ status: 'error' }).where('id', '=', id('delivery')).execute()
      const type = { limit: 1, workflowId: id('cut') }
      return await ada.post('/v1/deliveries/requeue', type)
    },
    leaves: () => [['delivery.requeued', { request: id('cut'), action: 'WEBHOOK' }]],
  },
  {
    name: 'POST /v1/actions/test',
    does: () => ada.post('/v1/actions/test', { workflowTemplateId: id('second'), index: 0 }),
    leaves: () => [['action.tested', { action: 'WEBHOOK', policy: id('second'), place: 0 }]],
  },
  // Roles for a while.
  {
    name: 'POST /groups: what roles are given of',
    does: () => made('role', ada.post('/groups', { name: 'zebra-role' })),
    leaves: () => [
      [
        'group.created',
        { member: ada.id, roles: [{ roleName: 'GroupManager', scopeType: 'group', scopeId: id('role') }] },
      ],
    ],
    changes: ['groups', 'memberships', 'role_bindings'],
  },
  {
    name: 'a rule of another dialect',
    does: async () => {
      await transact(world.ctx, null, async (tx) => {
        const ctx = { ...world.ctx, db: tx }
        ids['roleRule'] = await insertPolicy(ctx, roleStages(), workflowOptions, {
          dialect: 'privx',
          name: text('roles'),
        })
        const policy = await findPolicy(tx, orgId, id('roleRule'))
        if (policy === undefined) throw new Error('the policy is gone')
        const leaf = { orgId, kind: 'template.created', subjectId: policy.id, actor: byAda() } as const
        await appendLeaf(ctx, tx, { ...leaf, at: world.clock.now(), ...policyInLeaf(ctx, policy) } as Leaf)
      })
    },
    leaves: () => {
      const { space: _, ...facts } = policyFacts(1, roleStages(), workflowOptions)
      return [['template.created', { ...facts, dialect: 'privx' }]]
    },
    changes: ['policies'],
  },
  ...['asked', 'deleted'].map((name): Step => ({
    name: `a role that is asked for: ${name}`,
    does: async () => {
      const asked = { by: cleo, target: { id: id('dan') }, role: id('role'), policyId: id('roleRule') }
      ids[name] = await withRoles(world).ask({ ...asked, grant: { isRevocable: true } })
      ids['dan.person'] = String(await personOf(id('dan')))
    },
    leaves: () => [
      [
        'request.created',
        {
          ...requestFacts('roleRule'),
          dialect: 'privx',
          requester: cleo.id,
          person: id('cleo.person'),
          beneficiary: id('dan'),
          beneficiaryPerson: any,
          grant: {
            operation: 'grant',
            principal: id('dan'),
            group: id('role'),
            grantKind: 'permanent',
            limits: noLimits,
            isRevocable: true,
          },
        },
      ],
    ],
    changes: ['request_grants', 'requests'],
    by: byCleo,
  })),
  {
    name: 'a decision on a role: with other terms',
    does: async () => {
      ids['ends'] = new Date(world.clock.now().getTime() + 3_600_000).toISOString()
      const [startsAt, endsAt] = [Date.parse('2026-01-01T00:00:00Z'), Date.parse(id('ends'))]
      const terms = { kind: 'time-restricted', startsAt, endsAt } as const
      await withRoles(world).decide(ada, id('asked'), 'approve', { terms })
    },
    leaves: () => [
      [
        'vote.cast',
        {
          ...roleVote(1, 0),
          terms: { grantKind: 'time-restricted', startsAt: '2026-01-01T00:00:00.000Z', endsAt: id('ends') },
          toStage: 1,
        },
      ],
      [
        'request.terms-changed',
        { seq: 1, grantKind: 'time-restricted', startsAt: '2026-01-01T00:00:00.000Z', endsAt: any },
      ],
    ],
    changes: ['request_grants', 'requests', 'votes'],
  },
  {
    name: 'a decision on a role: the last, which grants it',
    does: async () => {
      const terms = { kind: 'floating', floatingHours: 2 } as const
      await withRoles(world).decide(ada, id('asked'), 'approve', { terms })
      ids['grant'] = (await withRoles(world).standing({ id: id('dan') }, id('role')))[0]?.id ?? ''
    },
    leaves: () => [
      [
        'vote.cast',
        { ...roleVote(2, 1), terms: { grantKind: 'floating', floatingHours: 2 }, to: 'approved', toStage: 2 },
      ],
      ['request.terms-changed', { seq: 2, grantKind: 'floating', floatingHours: 2 }],
      ['grant.made', { ...danInRole(), grantKind: 'floating', floatingHours: 2, request: id('asked') }],
    ],
    changes: ['grants', 'groups', 'memberships', 'request_grants', 'requests', 'votes'],
  },
  {
    name: 'POST /v1/grants/:grantId/use',
    does: async () => await (await world.signedIn(id('dan'))).post(`/v1/grants/${id('grant')}/use`),
    leaves: () => [['grant.used', { startsAt: any, endsAt: any }]],
    changes: ['grants', 'memberships'],
    by: () => ({ kind: 'human', id: id('dan') }),
  },
  {
    name: 'POST /v1/grants/:grantId/use: again',
    does: async () => await (await world.signedIn(id('dan'))).post(`/v1/grants/${id('grant')}/use`),
  },
  {
    name: 'a role that is taken back by who approved it',
    does: () => revokeGrantOfRequest(world.ctx, callerOf(ada), id('asked')),
    leaves: () => [
      ['grant.ended', { ...danInRole(), because: 'revoked' }],
      ['request.grant-revoked', { digest: any, ...danInRole(), hasEnded: true }],
    ],
    changes: ['grants', 'groups', 'memberships', 'request_grants'],
  },
  {
    name: 'a role that is given for a while',
    does: async () => {
      const startsAt = world.clock.now().getTime()
      await withRoles(world).give({ id: id('dan') }, id('role'), {
        kind: 'time-restricted',
        startsAt,
        endsAt: startsAt + 1000,
      })
    },
    leaves: () => [['grant.made', { ...danInRole(), grantKind: 'time-restricted', startsAt: any, endsAt: any }]],
    changes: ['grants', 'groups', 'memberships'],
    by: system,
  },
  {
    name: 'the end of a role that was given for a while',
    does: async () => {
      world.clock.advance(1000)
      await endDueGrants(world.ctx)
    },
    leaves: () => [['grant.ended', { ...danInRole(), because: 'expired' }]],
    changes: ['grants', 'groups', 'memberships'],
    by: system,
  },
  {
    name: 'a decision on a role that is deleted then',
    does: async () => void (await withRoles(world).decide(ada, id('deleted'))),
    leaves: () => [['vote.cast', { ...roleVote(1, 0), toStage: 1 }]],
    changes: ['requests', 'votes'],
  },
  {
    name: 'a request that is deleted',
    does: () =>
      deleteRequest(world.ctx, callerOf(cleo), id('deleted'), { dialect: 'privx', isAdmin: async () => false }),
    leaves: () => [['request.deleted', { digest: any, policy: id('roleRule'), seq: 1, stage: 1, from: 'open' }]],
    changes: ['request_grants', 'requests', 'votes'],
    by: byCleo,
  },
  // Ends.
  {
    name: 'DELETE /workflow-templates/:templateIdentifier',
    does: () => ada.delete(`/workflow-templates/${id('second')}`),
    leaves: () => [
      ['template.deleted', { space: id('space'), version: expect.any(Number), roles: 1 }],
      ['template.deleted', { space: id('space'), version: expect.any(Number), roles: 1 }],
    ],
    changes: ['policies', 'requests', 'role_bindings', 'votes'],
  },
  {
    name: 'POST /workflow-templates',
    does: () =>
      made(
        'third',
        ada.post('/workflow-templates', { name: text('hotfix'), spaceId: id('space'), approvalRule: seat() }),
      ),
    leaves: () => [['template.created', policyFacts(1, [{ binding: true, rule: kernelSeat() }], nativeOptions)]],
    changes: ['policies'],
  },
  {
    name: 'DELETE /spaces/:spaceId',
    does: () => ada.delete(`/spaces/${id('space')}`),
    leaves: () => [['space.deleted', { templates: 1, roles: 1 }]],
    changes: ['policies', 'role_bindings', 'spaces'],
  },
  {
    name: 'POST /resources/resolve',
    does: () => ada.post('/resources/resolve', { resources: [{ type: 'group', id: id('group') }] }),
  },
  ...accessSteps(),
  ...factorSteps(),
  ...custodySteps(),
  ...workflowEngineSteps(),
]

function sha256(value: string): string {
  return createHash('sha256').update(value).digest('hex')
}

async function openSession(who: string): Promise<string> {
  const { id: session } = await world.ctx.db
    .selectFrom('sessions')
    .select('id')
    .where('principal_id', '=', id(who))
    .where('ended_at', 'is', null)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  return session
}
