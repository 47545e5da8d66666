import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { castVote } from '../../src/approvals/cast-vote.ts'
import { submitRequest } from '../../src/approvals/submit-request.ts'
import { demoAdminKey } from '../../src/config/admin-key.ts'
import { loadConfig } from '../../src/config/config.ts'
import type { RawEnv } from '../../src/config/env.ts'
import { loadActor } from '../../src/identity/actor.ts'
import { recognizeAdminKey } from '../../src/identity/admin-key.ts'
import { isAllowed } from '../../src/identity/authorize.ts'
import { newKeyPair, pemOf } from '../helpers/agents.ts'
import { agent } from '../helpers/directory.ts'
import { apiKeys, bearing, madeKey, said } from '../helpers/machine.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'
import { startWorld, type Client } from '../helpers/world.ts'

const key = 'an-admin-key-that-only-this-test-knows'

let world: WorkflowWorld
let admin: Omit<Client, 'id'>
beforeAll(async () => {
  world = await startWorkflowWorld({ env: { QUORATE_ADMIN_KEY: key } })
  admin = bearing(world, key)
})
afterAll(() => world.close())

const caller = () => {
  const found = recognizeAdminKey(world.ctx, key, undefined)
  if (found === null) throw new Error('the admin key is not recognized')
  return found
}

describe('the admin key (design §8)', () => {
  it('manages agents', async () => {
    const bot = await agent(world, 'managed', world.cleo)
    expect((await admin.get(`/v1/agents/${bot.id}`)).status).toBe(200)
    expect((await admin.post(`/v1/agents/${bot.id}/revoke`)).status).toBe(204)
  })

  it('manages under /v1, and its leaves name no principal', async () => {
    const bot = await agent(world, 'bot', world.cleo)
    const { id } = await madeKey(world.cleo, { principalId: bot.id })
    expect((await admin.get(`${apiKeys}/${id}`)).status).toBe(200)
    expect(await admin.delete(`${apiKeys}/${id}`)).toMatchObject({ status: 204 })
    const leaves = await world.ctx.db
      .selectFrom('audit_leaves')
      .select('content')
      .where('subject_id', '=', id)
      .execute()
    const actors = leaves.map(({ content }) => JSON.parse(content).actor)
    expect(actors).toEqual([{ kind: 'human', id: world.cleo.id }, { kind: 'admin-key' }])
  })

  it.each<[string, (botId: string, keyId: string) => [path: string, body?: object]]>([
    ["an agent's API key", (principalId) => [apiKeys, { name: 'CI', scopes: ['native:write'], principalId }]],
    ['a new secret of one', (_bot, keyId) => [`${apiKeys}/${keyId}/rotate`]],
    ["an agent's private key", (botId) => [`/v1/agents/${botId}/rotate-key`]],
  ])('is given no secret that votes: %s', async (what, call) => {
    const bot = await agent(world, `bot for ${what}`, world.cleo)
    const { id, key: secret } = await madeKey(world.cleo, { principalId: bot.id })
    const answer = await admin.post(...call(bot.id, id))
    expect(said(answer)).toEqual([403, 'REQUESTOR_NOT_AUTHORIZED'])
    expect(answer.body.message).toMatch(/^The admin key is given no secret/)
    expect(said(await bearing(world, secret).get('/auth/info'))).toEqual([200, undefined])
  })

  it('puts no key of its holder in the place of an agent’s either', async () => {
    const bot = await agent(world, 'taken over', world.cleo)
    const publicKey = Buffer.from(pemOf((await newKeyPair(3072)).publicKey)).toString('base64')
    const answer = await admin.post(`/v1/agents/${bot.id}/rotate-key`, { publicKey })
    expect(said(answer)).toEqual([403, 'REQUESTOR_NOT_AUTHORIZED'])
  })

  it.each([
    ['one character less', key.slice(0, -1)],
    ['one character more', `${key}s`],
    ['another case', key.toUpperCase()],
    ['another of the same length', 'x'.repeat(key.length)],
    ['the published one of the demo', demoAdminKey],
  ])('is exact: %s is refused as any text that is no token', async (_what, other) => {
    expect(said(await bearing(world, other).get(apiKeys))).toEqual([400, 'JWT_TOKEN_MALFORMED'])
  })

  it.each<[string, 'get' | 'post' | 'put' | 'delete']>([
    ['/auth/info', 'get'],
    ['/users', 'get'],
    ['/users', 'post'],
    ['/agents/register', 'post'],
    ['/organization/default/admins', 'get'],
    ['/workflows', 'get'],
    ['/workflows', 'post'],
    ['/workflows/any/vote', 'post'],
    ['/workflows/any/canVote', 'get'],
    ['/v1/workflows/any/explain', 'get'],
    ['/v1/workflows/any/cancel', 'post'],
    ['/v1/workflows/any/close-stage', 'post'],
    ['/workflow-templates', 'post'],
    ['//v1/api-keys/../../workflows', 'get'],
  ])('is no credential on %s (%s)', async (path, method) => {
    const answer = await admin[method](path, method === 'get' ? undefined : {})
    expect([400, 404]).toContain(answer.status)
    expect(['JWT_TOKEN_MALFORMED', 'NOT_FOUND']).toContain(answer.body.code)
  })

  it('is an admin without roles, and so without the right to vote', async () => {
    const actor = await loadActor(world.ctx.db, caller())
    expect(actor).toMatchObject({ kind: 'agent', isAdmin: true, bindings: [], personId: null, stepUp: null })
    const template = { type: 'workflow_template', name: 'any', spaceId: null } as const
    expect(isAllowed(actor, 'workflow_template:vote', template)).toBe(false)
    expect(isAllowed(actor, 'space:manage', { type: 'organization' })).toBe(true)
  })

  it('can neither vote nor ask for an approval, even past the door', async () => {
    const id = await world.opened()
    const vote = { stance: 'approve', groups: [world.guards], reason: null, signature: null } as const
    await expect(castVote(world.ctx, caller(), { id }, vote)).rejects.toMatchObject({ code: 'CALLER_AGENT_NOT_FOUND' })
    const { id: policyId } = await world.made({ approvalRule: world.rule() })
    const input = { name: 'by-nobody', description: null, metadata: {}, policyId }
    await expect(submitRequest(world.ctx, caller(), input)).rejects.toMatchObject({
      code: 'REQUESTOR_NOT_AUTHORIZED',
      message: 'The admin key manages; it takes no part in approvals.',
    })
  })

  it('is none where none is configured', async () => {
    await using other = await startWorld()
    expect(other.ctx.config.adminKey).toBeNull()
    for (const text of [key, demoAdminKey, 'null', 'undefined']) {
      expect(said(await bearing(other, text).get(apiKeys))).toEqual([400, 'JWT_TOKEN_MALFORMED'])
    }
  })

  it('is kept as its hash alone', () => {
    expect(JSON.stringify(world.ctx.config)).not.toContain(key)
  })
})

describe('the configuration of the admin key', () => {
  const config = (env: RawEnv) => loadConfig({ QUORATE_DATA_DIR: 'memory://', QUORATE_DEMO: '0', ...env }).adminKey
  const external = { OIDC_ISSUER: 'https://idp.example', OIDC_CLIENT_ID: 'quorate' }

  it('takes 32 characters', () => {
    expect(config({ QUORATE_ADMIN_KEY: 'k'.repeat(32) })).toMatchObject({ isPublished: false })
  })

  it.each<[string, RawEnv]>([
    ['31 characters', { QUORATE_ADMIN_KEY: 'k'.repeat(31) }],
    ['a blank', { QUORATE_ADMIN_KEY: `${'k'.repeat(32)} k` }],
    ['a colon', { QUORATE_ADMIN_KEY: `${'k'.repeat(32)}:k` }],
    ['a character past ASCII', { QUORATE_ADMIN_KEY: `${'k'.repeat(32)}é` }],
    ["the demo's key without the demo", { QUORATE_ADMIN_KEY: demoAdminKey }],
    ["the demo's key where others sign in", { QUORATE_ADMIN_KEY: demoAdminKey, QUORATE_DEMO: '1', ...external }],
  ])('refuses to start with %s', (_what, env) => {
    expect(() => config(env)).toThrow(/^QUORATE_ADMIN_KEY /)
    expect(() => config(env)).not.toThrow(/kkk/)
  })

  it('has a published key on the demo with the development sign-in, and nowhere else', () => {
    expect(config({ QUORATE_DEMO: '1' })).toMatchObject({ isPublished: true })
    expect(config({ QUORATE_DEMO: '1', QUORATE_ADMIN_KEY: demoAdminKey })).toMatchObject({ isPublished: true })
    expect(config({ QUORATE_DEMO: '1', QUORATE_ADMIN_KEY: key })).toMatchObject({ isPublished: false })
    expect(config({ QUORATE_DEMO: '1', ...external })).toBeNull()
    expect(config({ QUORATE_DEMO: '0' })).toBeNull()
  })

  it('lets the published key in by a name of this machine only: a page of another name may have been made to resolve here', async () => {
    await using demo = await startWorld({ env: { QUORATE_DEMO: '1' } })
    const named = async (host: string) => said(await bearing(demo, demoAdminKey).get(apiKeys, undefined, { host }))
    const [accepted, refused] = [
      [200, undefined],
      [400, 'JWT_TOKEN_MALFORMED'],
    ]
    for (const host of ['localhost:8080', '127.0.0.1', '[::1]:8080']) expect(await named(host)).toEqual(accepted)
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8080']) {
      expect(await named(host)).toEqual(refused)
    }
    // One's own key is a secret, which no such page knows.
    expect(said(await admin.get(apiKeys, undefined, { host: 'quorate.example' }))).toEqual(accepted)
  })
})
