import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { authenticateApiKey } from '../../src/identity/api-keys/authenticate.ts'
import { defaultOrganization } from '../../src/identity/organization.ts'
import type { Db } from '../../src/store/open.ts'
import { lockFacts } from '../../src/store/fact-locks.ts'
import { newKeyPair, pemOf } from '../helpers/agents.ts'
import { agent, leavesOf } from '../helpers/directory.ts'
import { apiKeys, bearing, madeKey, said } from '../helpers/machine.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { untilWaiting } from '../helpers/lock-waits.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

let world: WorkflowWorld
let cleo: Client
let bot: Client
beforeAll(async () => {
  world = await startWorkflowWorld()
  cleo = world.cleo
  bot = await agent(world, 'bot', cleo)
})
afterAll(() => world.close())

const whoami = '/auth/info'
const invalid = [401, 'API_KEY_INVALID']
const accepted = [200, undefined]
const ask = async (key: string, on: World = world) => said(await bearing(on, key).get(whoami))
const rowOf = async (id: string) =>
  await world.ctx.db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

describe('an API key as a bearer', () => {
  it('acts as its person', async () => {
    const { key } = await madeKey(cleo)
    expect((await bearing(world, key).get(whoami)).body).toMatchObject({ entityType: 'user', id: cleo.id })
  })

  it('acts as its agent', async () => {
    const { key } = await madeKey(cleo, { principalId: bot.id })
    expect((await bearing(world, key).get(whoami)).body).toMatchObject({ entityType: 'agent', id: bot.id })
  })

  it('is no good for an agent that must prove its own key', async () => {
    const machine = await agent(world, 'prover', cleo)
    const { key } = await madeKey(cleo, { principalId: machine.id })
    expect(await ask(key)).toEqual(accepted)
    await cleo.patch(`/v1/agents/${machine.id}`, { dpopRequired: true })
    expect(await ask(key)).toEqual(invalid)
    await world.ada.patch(`/v1/agents/${machine.id}`, { dpopRequired: false })
    expect(await ask(key)).toEqual(accepted)
  })

  it('makes its holder no other credential: no agent, no key of one', async () => {
    const { key } = await madeKey(cleo)
    const holder = bearing(world, key)
    const refused = [403, 'REQUESTOR_NOT_AUTHORIZED']
    expect(said(await holder.post('/agents/register', { agentName: 'planted' }))).toEqual(refused)
    expect(said(await holder.post(`/v1/agents/${bot.id}/rotate-key`))).toEqual(refused)
  })

  it('begins no step-up and finishes none: what it got would be a token of its person', async () => {
    const { key } = await madeKey(cleo)
    const start = await bearing(world, key).post('/auth/web/initiatePrivilegedTokenExchange')
    expect(said(start)).toEqual([403, 'AUTH_INVALID_ENTITY'])
    const exchange = { code: 'c', state: 's', operation: 'vote' }
    const finish = await bearing(world, key).post('/auth/cli/exchangePrivilegedToken', exchange)
    expect(said(finish)).toEqual([403, 'AUTH_INVALID_ENTITY'])
  })

  it('ends no sign-in of its person', async () => {
    const { key } = await madeKey(cleo)
    for (const url of ['/v1/sessions', `/v1/sessions/${world.ctx.newId()}`]) {
      expect(said(await bearing(world, key).delete(url))).toEqual([403, 'REQUESTOR_NOT_AUTHORIZED'])
    }
    expect((await cleo.get(whoami)).status).toBe(200)
  })

  it('is refused with one code and one answer whatever is wrong with it', async () => {
    const { key, id } = await madeKey(cleo)
    const [revoked, expired] = [await madeKey(cleo), await madeKey(cleo)]
    await cleo.delete(`${apiKeys}/${revoked.id}`)
    await world.ctx.db
      .updateTable('api_keys')
      .set({ expires_at: world.clock.now() })
      .where('id', '=', expired.id)
      .execute()
    const last = key.at(-1) === 'A' ? 'B' : 'A'
    const others = [
      `${key.slice(0, -1)}${last}`,
      key.replace(id.replaceAll('-', ''), revoked.id.replaceAll('-', '')),
      key.toUpperCase().replace('QK_', 'qk_'),
      `${key}A`,
      `${key}=`,
      key.slice(0, -1),
      'qk_',
      `qk_${id}`,
      createHash('sha256').update(key).digest('hex').replace(/^/, 'qk_'),
      revoked.key,
      expired.key,
    ]
    const answers = []
    for (const other of others) answers.push(await bearing(world, other).get(whoami))
    expect(answers.map(said)).toEqual(others.map(() => invalid))
    expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1)
    expect(await ask(key)).toEqual(accepted)
  })

  it('is no key without the scheme, beside something else, or in another header', async () => {
    const { key } = await madeKey(cleo)
    const tries = [
      { authorization: key },
      { authorization: `Basic ${key}` },
      { authorization: `Bearer ${key} ${key}` },
      { authorization: `Bearer  ${key}` },
      { 'x-api-key': key },
    ]
    for (const headers of tries) {
      expect((await world.anyone.get(whoami, undefined, headers as Record<string, string>)).status).toBe(401)
    }
    expect(said(await world.anyone.get(`${whoami}?access_token=${key}`))).toEqual([401, 'MISSING_JWT_TOKEN'])
    const cookie = `access_token=${key}; qk=${key}`
    expect(said(await world.anyone.get(whoami, undefined, { cookie }))).toEqual([400, 'JWT_TOKEN_MALFORMED'])
  })

  it('ends at the instant of its expiry', async () => {
    const { key } = await madeKey(cleo, { expiresAt: new Date(world.clock.now().getTime() + 60_000).toISOString() })
    world.clock.advance(59_999)
    expect(await ask(key)).toEqual(accepted)
    world.clock.advance(1)
    expect(await ask(key)).toEqual(invalid)
  })

  it('ends with its principal: disabled or deleted', async () => {
    const doomed = await agent(world, `doomed ${world.ctx.newId()}`, cleo)
    const { key, id } = await madeKey(cleo, { principalId: doomed.id })
    expect(await ask(key)).toEqual(accepted)
    const principal = world.ctx.db.updateTable('principals').where('id', '=', doomed.id)
    await principal.set({ disabled_at: world.clock.now() }).execute()
    expect(await ask(key)).toEqual(invalid)
    await principal.set({ disabled_at: null }).execute()
    expect(await ask(key)).toEqual(accepted)
    await world.ctx.db.deleteFrom('principals').where('id', '=', doomed.id).execute()
    expect(await ask(key)).toEqual(invalid)
    expect(said(await cleo.get(`${apiKeys}/${id}`))).toEqual([404, 'API_KEY_NOT_FOUND'])
  })
})

describe('API keys that others may know', () => {
  let owner: Client
  let mate: Client
  let machine: Client
  const onAgent = (command: string) => `/v1/agents/${machine.id}${command}`
  const onOwner = (command: string) => world.ada.post(`/v1/users/${owner.id}/${command}`)
  const give = (to: Client) => world.ada.patch(onAgent(''), { ownerId: to.id })
  const newKey = async () => {
    const publicKey = Buffer.from(pemOf((await newKeyPair(3072)).publicKey)).toString('base64')
    return await owner.post(onAgent('/rotate-key'), { publicKey })
  }
  const makeKeys = async () => ({
    ofAgent: await madeKey(owner, { principalId: machine.id }),
    ofOwner: await madeKey(owner),
    ofMate: await madeKey(mate),
  })
  beforeEach(async () => {
    owner = await world.person(`Owner ${world.ctx.newId()}`.replaceAll(' ', '-'))
    mate = await world.person(`Mate ${world.ctx.newId()}`.replaceAll(' ', '-'))
    machine = await agent(world, `machine ${owner.id}`, owner)
  })

  type Kind = keyof Awaited<ReturnType<typeof makeKeys>>
  const nothing = async () => {}
  it.each<[string, Kind[], () => Promise<unknown>, () => Promise<unknown>]>([
    ['its agent is given another key', ['ofAgent'], newKey, nothing],
    ['its agent is revoked', ['ofAgent'], () => owner.post(onAgent('/revoke')), () => owner.post(onAgent('/restore'))],
    ['its agent is given to another person', ['ofAgent'], () => give(mate), () => give(owner)],
    [
      'its person, who answers for its agent, is disabled',
      ['ofAgent', 'ofOwner'],
      () => onOwner('disable'),
      () => onOwner('enable'),
    ],
  ])('are revoked, each with its leaf, when %s, and stay so', async (_when, ended, act, undo) => {
    const keys = await makeKeys()
    await act()
    for (const [kind, { id, key }] of Object.entries(keys)) {
      const isEnded = ended.includes(kind as Kind)
      expect([kind, await ask(key)]).toEqual([kind, isEnded ? invalid : accepted])
      expect(await leavesOf(world, id)).toEqual(['api-key.created', ...(isEnded ? ['api-key.revoked'] : [])])
      expect('revokedAt' in (await world.ada.get(`${apiKeys}/${id}`)).body).toBe(isEnded)
    }
    await undo()
    for (const kind of ended) expect(await ask(keys[kind].key)).toEqual(invalid)
  })

  it('are not revoked by changes that tell nobody: to the same owner, to how its tokens are bound', async () => {
    const { ofAgent } = await makeKeys()
    await give(owner)
    await world.ada.patch(onAgent(''), { dpopRequired: true })
    await world.ada.patch(onAgent(''), { dpopRequired: false })
    expect(await ask(ofAgent.key)).toEqual(accepted)
  })

  it('are named by the leaf of their end with whose they were and who did it', async () => {
    const { ofAgent } = await makeKeys()
    await give(mate)
    const leaf = await world.ctx.db
      .selectFrom('audit_leaves')
      .select('content')
      .where('subject_id', '=', ofAgent.id)
      .where('kind', '=', 'api-key.revoked')
      .executeTakeFirstOrThrow()
    const { actor, facts } = JSON.parse(leaf.content)
    expect([actor, facts]).toEqual([{ kind: 'human', id: world.ada.id }, { principal: machine.id }])
  })
})

describe('the scopes of an API key', () => {
  const missing = [403, 'API_KEY_SCOPE_MISSING']
  const through = [404, 'WORKFLOW_NOT_FOUND']
  it.each<[string[], unknown[], unknown[]]>([
    [['native:read'], accepted, missing],
    [['native:write'], missing, through],
    [['native:read', 'native:write'], accepted, through],
    [['privx', 'fortanix', 'govern'], missing, missing],
  ])('%j: what it may read and write here', async (scopes, reads, writes) => {
    const { key } = await madeKey(cleo, { scopes })
    const keyed = bearing(world, key)
    expect(said(await keyed.get(whoami))).toEqual(reads)
    const head = { method: 'HEAD', url: whoami, headers: { authorization: `Bearer ${key}` } } as const
    expect((await world.app.inject(head)).statusCode).toBe(reads[0])
    const path = '/v1/workflows/nothing/cancel'
    expect(said(await keyed.post(path))).toEqual(writes)
    // A header that elsewhere makes a read of it makes nothing of it here.
    expect(said(await keyed.post(path, {}, { 'x-http-method-override': 'GET' }))).toEqual(writes)
    for (const method of ['put', 'delete'] as const) {
      const { body } = await keyed[method](`/users/${cleo.id}/roles`, {})
      expect(body.code).toBe(writes === missing ? 'API_KEY_SCOPE_MISSING' : 'MISSING_ROLES')
    }
  })

  it('are looked at before anything else that is wrong with the call', async () => {
    const { key } = await madeKey(cleo, { scopes: ['native:read'] })
    const answer = await bearing(world, key).post('/workflows', {})
    expect(said(answer)).toEqual(missing)
    expect(answer.body.message).toBe('The API key does not hold the scope "native:write" that this call needs.')
  })
})

describe('a vote with an API key', () => {
  it('counts as one of its principal, and the leaf names the key', async () => {
    const { key, id } = await madeKey(cleo)
    const workflow = await world.opened()
    const keyed = { ...cleo, ...bearing(world, key) }
    expect(await world.voted(keyed, workflow, 'APPROVE')).toBe('APPROVED')
    const leaf = await world.ctx.db
      .selectFrom('audit_leaves')
      .select('content')
      .where('subject_id', '=', workflow)
      .where('kind', '=', 'vote.cast')
      .executeTakeFirstOrThrow()
    expect(JSON.parse(leaf.content).actor).toEqual({ kind: 'human', id: cleo.id, apiKey: id })
  })

  it('never satisfies a step-up', async () => {
    const { key } = await madeKey(cleo)
    const workflow = await world.opened({ approvalRule: { ...world.rule(), requireHighPrivilege: true } })
    const keyed = { ...cleo, ...bearing(world, key) }
    expect(said(await world.vote(keyed, workflow, 'APPROVE'))).toEqual([403, 'STEP_UP_CONTEXT_MISSING'])
  })
})

describe('the secret of an API key', () => {
  it('stands nowhere in the database, not even where the answer is kept for a repeated call', async () => {
    const once = { 'idempotency-key': 'make-one' }
    const body = { name: 'Kept', scopes: ['native:read'] }
    const made = await cleo.post(apiKeys, body, once)
    const again = await cleo.post(apiKeys, body, once)
    expect(again.body).toEqual(made.body)
    const { key, id } = made.body
    const rotated = await cleo.post(`${apiKeys}/${id}/rotate`, { graceSeconds: 60 }, { 'idempotency-key': 'turn-one' })
    const secrets = [key, rotated.body.key].map((text: string) => text.split('_').slice(2).join('_'))
    expect(await columnsHolding(secrets)).toEqual([])
    const { secret_hash, previous_hash, hint } = await rowOf(id)
    expect([secret_hash, previous_hash, hint]).toEqual([sha256(rotated.body.key), sha256(key), rotated.body.hint])
    // The search does find what is there: the leaf commits to the hash that the key is looked up by.
    expect(await columnsHolding([secret_hash])).toEqual(['api_keys.secret_hash', 'audit_leaves.content'])
  })

  it('is not given to a key that repeats the call its principal made', async () => {
    const once = { 'idempotency-key': 'make-another' }
    const body = { name: 'Kept', scopes: ['native:read', 'native:write'] }
    const { key, id } = (await cleo.post(apiKeys, body, once)).body
    const turned = await cleo.post(
      `${apiKeys}/${id}/rotate`,
      { graceSeconds: 60 },
      { 'idempotency-key': 'turn-another' },
    )
    const keyed = bearing(world, key)
    expect(said(await keyed.post(apiKeys, body, once))).toEqual([403, 'REQUESTOR_NOT_AUTHORIZED'])
    const repeated = await keyed.post(
      `${apiKeys}/${id}/rotate`,
      { graceSeconds: 60 },
      { 'idempotency-key': 'turn-another' },
    )
    expect(said(repeated)).toEqual([403, 'REQUESTOR_NOT_AUTHORIZED'])
    expect(await ask(turned.body.key)).toEqual(accepted)
  })

  it('is given no other secret either: the Idempotency-Keys of its principal are not its own', async () => {
    const { key } = await madeKey(cleo)
    const [once, body] = [{ 'idempotency-key': 'register' }, { agentName: 'registered once' }]
    const registered = await cleo.post('/agents/register', body, once)
    expect((await cleo.post('/agents/register', body, once)).body).toEqual(registered.body)
    const repeated = await bearing(world, key).post('/agents/register', body, once)
    expect(said(repeated)).toEqual([403, 'REQUESTOR_NOT_AUTHORIZED'])
  })

  it('has 256 bits of its own each time', async () => {
    const { key, id } = await madeKey(cleo)
    const other = (await cleo.post(`${apiKeys}/${id}/rotate`)).body.key
    expect(Buffer.from(key.slice(-43), 'base64url')).toHaveLength(32)
    expect(other.slice(0, 36)).toBe(key.slice(0, 36))
    expect(other.slice(-43)).not.toBe(key.slice(-43))
  })
})

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Columns of any type, read as text (and bytes as what they spell), that hold one of these. */
async function columnsHolding(texts: readonly string[]): Promise<string[]> {
  const tables = await world.ctx.db.introspection.getTables()
  const held = new Set<string>()
  for (const { name, schema = 'public' } of tables.filter((table) => !table.isView)) {
    const rows = (await world.ctx.db
      .withSchema(schema)
      .selectFrom(name as 'api_keys')
      .selectAll()
      .execute()) as Record<string, unknown>[]
    for (const [column, value] of rows.flatMap((row) => Object.entries(row))) {
      const text = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : JSON.stringify(value)
      if (texts.some((searched) => text.includes(searched))) held.add(`${name}.${column}`)
    }
  }
  return [...held]
}

describe('a rotation', () => {
  const rotated = async (id: string, graceSeconds: number): Promise<string> =>
    (await cleo.post(`${apiKeys}/${id}/rotate`, { graceSeconds })).body.key

  it('ends the secret before at once', async () => {
    const { id, key } = await madeKey(cleo)
    const next = await rotated(id, 0)
    expect([await ask(key), await ask(next)]).toEqual([invalid, accepted])
  })

  it('leaves the secret before its grace, to the instant', async () => {
    const { id, key } = await madeKey(cleo)
    const next = await rotated(id, 60)
    const { previousExpiresAt } = (await cleo.get(`${apiKeys}/${id}`)).body
    expect(Date.parse(previousExpiresAt)).toBe(world.clock.now().getTime() + 60_000)
    world.clock.advance(59_999)
    expect([await ask(key), await ask(next)]).toEqual([accepted, accepted])
    world.clock.advance(1)
    expect([await ask(key), await ask(next)]).toEqual([invalid, accepted])
  })

  it('keeps one secret in grace: the next rotation ends the one before', async () => {
    const { id, key } = await madeKey(cleo)
    const second = await rotated(id, 600)
    const third = await rotated(id, 600)
    expect([await ask(key), await ask(second), await ask(third)]).toEqual([invalid, accepted, accepted])
    const fourth = await rotated(id, 0)
    expect([await ask(second), await ask(third), await ask(fourth)]).toEqual([invalid, invalid, accepted])
  })

  it('gives no secret a life past the expiry or the revocation of the key', async () => {
    const expiresAt = new Date(world.clock.now().getTime() + 1000).toISOString()
    const [short, revoked] = [await madeKey(cleo, { expiresAt }), await madeKey(cleo)]
    const next = await rotated(short.id, 600)
    const other = await rotated(revoked.id, 600)
    await cleo.delete(`${apiKeys}/${revoked.id}`)
    expect([await ask(revoked.key), await ask(other)]).toEqual([invalid, invalid])
    expect([await ask(short.key), await ask(next)]).toEqual([accepted, accepted])
    world.clock.advance(1000)
    expect([await ask(short.key), await ask(next)]).toEqual([invalid, invalid])
  })
})

describe('when a key was last used', () => {
  const lastUsed = async (id: string) => (await rowOf(id)).last_used_at?.getTime()

  it('is noted once a minute', async () => {
    const { id, key } = await madeKey(cleo)
    expect((await cleo.get(`${apiKeys}/${id}`)).body).not.toHaveProperty('lastUsedAt')
    const first = world.clock.now().getTime()
    await ask(key)
    await expect.poll(() => lastUsed(id)).toBe(first)
    world.clock.advance(59_999)
    await ask(key)
    // Written before the next is: on one connection, in order.
    await ask(key)
    expect(await lastUsed(id)).toBe(first)
    world.clock.advance(1)
    await ask(key)
    await expect.poll(() => lastUsed(id)).toBe(first + 60_000)
    expect((await cleo.get(`${apiKeys}/${id}`)).body.lastUsedAt).toBe(new Date(first + 60_000).toISOString())
  })

  it('is not touched by a secret that is refused', async () => {
    const { id, key } = await madeKey(cleo)
    await ask(`${key.slice(0, -2)}__`)
    await ask(key.slice(0, -1))
    expect(await lastUsed(id)).toBeUndefined()
  })
})

describe('noting that a key was used', () => {
  let world: World
  let ben: Client
  beforeAll(async () => {
    world = await startWorld({ engine: 'postgres' })
    ben = await world.person('Ben')
  })
  afterAll(() => world.close())

  /** The world's context, where `onUpdate` is told of each write to a row that is there. */
  const watched = (onUpdate: () => void) => {
    const warn = vi.fn()
    const db = world.ctx.db.withPlugin({
      transformQuery({ node }) {
        if (node.kind === 'UpdateQueryNode') onUpdate()
        return node
      },
      transformResult: async ({ result }) => result,
    })
    return { ctx: { ...world.ctx, db, log: { warn } as unknown as Logger }, warn }
  }
  const lastUsed = async () =>
    (await world.ctx.db.selectFrom('api_keys').select('last_used_at').execute()).map((row) =>
      row.last_used_at?.getTime(),
    )

  it('is one write for calls at once, and none within the minute', async () => {
    const { key } = await madeKey(ben)
    const onUpdate = vi.fn()
    const { ctx } = watched(onUpdate)
    const use = async () => await authenticateApiKey(ctx, key)
    // Nobody waits for it: both calls pass while the row is held.
    await world.ctx.db.transaction().execute(async (tx) => {
      await tx.selectFrom('api_keys').select('id').forUpdate().execute()
      await Promise.all([use(), use()])
    })
    expect(onUpdate).toHaveBeenCalledTimes(1)
    await expect.poll(lastUsed).toEqual([world.clock.now().getTime()])
    world.clock.advance(59_999)
    await use()
    expect(onUpdate).toHaveBeenCalledTimes(1)
    world.clock.advance(1)
    await use()
    expect(onUpdate).toHaveBeenCalledTimes(2)
    await expect.poll(lastUsed).toEqual([world.clock.now().getTime()])
  })

  it('that fails lets the call pass, is logged, and is tried again', async () => {
    const { id, key } = await madeKey(ben)
    const fault = new Error('no room')
    const { ctx, warn } = watched(() => {
      throw fault
    })
    for (let time = 1; time <= 2; time++) {
      expect(await authenticateApiKey(ctx, key)).toMatchObject({ principalId: ben.id })
      await expect.poll(() => warn.mock.calls.length).toBe(time)
    }
    expect(warn).toHaveBeenCalledWith({ err: fault, apiKey: id }, 'the use of an API key was not noted')
  })
})

it('what cannot be a key is refused without asking the store', async () => {
  const ctx = { ...world.ctx, db: null as unknown as Db }
  const asking = authenticateApiKey(ctx, 'qk_none')
  await expect(asking).rejects.toMatchObject({ code: 'API_KEY_INVALID' })
})

describe('two servers on one PostgreSQL', () => {
  it('know of a revocation, a rotation and a disabled agent at once', async () => {
    const databaseUrl = await freshDatabase()
    await using here = await startWorld({ databaseUrl })
    await using there = await startWorld({ databaseUrl })
    const ben = await here.person('Ben')
    const robot = await agent(here, 'robot', ben)
    const revoked = await madeKey(ben)
    const turned = await madeKey(ben)
    const robots = await madeKey(ben, { principalId: robot.id })
    for (const { key } of [revoked, turned, robots]) expect(await ask(key, there)).toEqual(accepted)

    expect(await ben.delete(`${apiKeys}/${revoked.id}`)).toMatchObject({ status: 204 })
    expect(await ask(revoked.key, there)).toEqual(invalid)
    const { key } = (await ben.post(`${apiKeys}/${turned.id}/rotate`)).body
    expect([await ask(turned.key, there), await ask(key, there)]).toEqual([invalid, accepted])
    const disabled = { disabled_at: here.clock.now() }
    await here.ctx.db.updateTable('principals').set(disabled).where('id', '=', robot.id).execute()
    expect(await ask(robots.key, there)).toEqual(invalid)
  })

  it('make and renew no key for an owner who is replaced meanwhile', async () => {
    await using here = await startWorld({ databaseUrl: await freshDatabase() })
    const [ben, cleo] = [await here.person('Ben'), await here.person('Cleo')]
    const robot = await agent(here, 'robot', ben)
    const { id } = await madeKey(ben, { principalId: robot.id })
    const { db } = here.ctx
    // What a change of owner does, held up before its end.
    const calls = await db.transaction().execute(async (tx) => {
      await lockFacts(tx, defaultOrganization.id)
      const next = tx.selectFrom('principals').select('person_id').where('id', '=', cleo.id)
      await tx.updateTable('principals').set({ person_id: next }).where('id', '=', robot.id).execute()
      const started = [
        ben.post(apiKeys, { name: 'late', scopes: ['native:read'], principalId: robot.id }),
        ben.post(`${apiKeys}/${id}/rotate`),
      ]
      await untilWaiting(db, 2)
      return started
    })
    const answers = (await Promise.all(calls)).map(said)
    expect(answers).toEqual([
      [403, 'REQUESTOR_NOT_AUTHORIZED'],
      [404, 'API_KEY_NOT_FOUND'],
    ])
  })

  it('two rotations and a revocation at once leave a key that is revoked, with no secret that works', async () => {
    const databaseUrl = await freshDatabase()
    await using here = await startWorld({ databaseUrl })
    await using there = await startWorld({ databaseUrl })
    const ben = await here.person('Ben')
    const { id, key } = await madeKey(ben)
    const elsewhere = await there.signedIn(ben.id)
    const answers = await Promise.all([
      ben.post(`${apiKeys}/${id}/rotate`, { graceSeconds: 60 }),
      elsewhere.post(`${apiKeys}/${id}/rotate`, { graceSeconds: 60 }),
      elsewhere.delete(`${apiKeys}/${id}`),
    ])
    for (const { status } of answers) expect([200, 204, 409]).toContain(status)
    const secrets = [key, ...answers.map(({ body }) => body.key).filter((text) => text !== undefined)]
    for (const secret of secrets) expect(await ask(secret, there)).toEqual(invalid)
  })
})
