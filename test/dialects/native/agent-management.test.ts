import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  goodAssertion,
  machine,
  newKeyPair,
  nonceFor,
  pemOf,
  proofFor,
  redeem,
  saidOf,
  sign,
  signedInAgent,
  type Machine,
} from '../../helpers/agents.ts'
import { callerCases, ghost, leavesOf, table, unknownId, type Case } from '../../helpers/directory.ts'
import { giveRole, insertGroup, insertPolicy, seats } from '../../helpers/quorum.ts'
import { startWorld, type Client, type World } from '../../helpers/world.ts'

type Who = 'nobody' | 'gone' | 'ada' | 'ben' | 'cleo' | 'bot'

let world: World
let cast: Record<Exclude<Who, 'nobody'>, Client>
let target: Machine
const setting = () => ({ world, cast: { nobody: world.anyone, ...cast } as Record<Who, Client> })

beforeAll(async () => {
  world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  const ben = await world.person('Ben')
  const cleo = await world.person('Cleo')
  const bot = await machine(world, 'bot', ben)
  cast = { ada, ben, cleo, bot: await world.signedIn(bot.id), gone: await ghost(world) }
  target = await machine(world, 'target / 1', ben)
})
afterAll(() => world.close())

const at = (identifier: string, command = '') => `/v1/agents/${encodeURIComponent(identifier)}${command}`
const base64 = (pem: string) => Buffer.from(pem).toString('base64')
/** Everything that a call on an agent can be refused for, whoever it asks for. */
const refusals = (command: string, body?: () => unknown): Case<Who>[] => [
  ...callerCases<Who>(() => at(target.id, command), 'nobody', 'gone'),
  ...(['cleo', 'bot'] as const).map((as): Case<Who> => {
    const call = { as, path: () => at(target.id, command), ...(body && { body }) }
    return { name: `${as}, who does not answer for it`, ...call, status: 403, code: 'REQUESTOR_NOT_AUTHORIZED' }
  }),
  ...(
    [
      ['an unknown id', () => unknownId],
      ['an unknown name', () => 'nobody'],
      ["a user's id", () => cast.ben.id],
    ] as const
  ).map(([name, identifier]): Case<Who> => {
    const call = { as: 'ada' as const, path: () => at(identifier(), command), ...(body && { body }) }
    return { name, ...call, status: 404, code: 'AGENT_NOT_FOUND' }
  }),
]

table<Who>('GET /v1/agents/{agentIdOrName}', setting, [
  {
    name: 'by name, by who answers for it',
    as: 'ben',
    path: () => at(target.name),
    status: 200,
    check: ({ body }) =>
      expect(body).toEqual({
        id: target.id,
        agentName: target.name,
        publicKey: base64(pemOf(target.publicKey)),
        createdAt: '2026-11-21T12:00:00.000Z',
        dpopRequired: false,
        ownerId: cast.ben.id,
      }),
  },
  { name: 'by id, by an admin', as: 'ada', path: () => at(target.id), status: 200 },
  ...refusals(''),
])

const required = () => ({ dpopRequired: true })
table<Who>('PATCH /v1/agents/{agentIdOrName}', setting, [
  ...refusals('', required),
  ...(
    [
      ['no body', undefined, undefined],
      ['nothing to change', {}, undefined],
      ['dpopRequired is no boolean', { dpopRequired: 'yes' }, 'dpopRequired'],
      ['ownerId is no text', { ownerId: 7 }, 'ownerId'],
    ] as const
  ).map(([name, body, field]): Case<Who> => {
    const call = { as: 'ada' as const, path: () => at(target.id), body: () => body }
    return { name, ...call, status: 400, code: 'MALFORMED_REQUEST', ...(field && { field }) }
  }),
  ...(
    [
      ['an unknown user', () => unknownId],
      ['no id at all', () => 'ben'],
      ['an agent', () => cast.bot.id],
    ] as const
  ).map(([name, ownerId]): Case<Who> => {
    const call = { as: 'ada' as const, path: () => at(target.id), body: () => ({ ownerId: ownerId() }) }
    return { name: `ownerId is ${name}`, ...call, status: 400, code: 'USER_NOT_FOUND', field: 'ownerId' }
  }),
  {
    name: 'who answers for it gives it to another, which is for admins',
    as: 'ben',
    path: () => at(target.id),
    body: () => ({ dpopRequired: true, ownerId: cast.cleo.id }),
    status: 403,
    code: 'REQUESTOR_NOT_AUTHORIZED',
  },
])

describe('PATCH /v1/agents/{agentIdOrName}', () => {
  test('200: dpopRequired, by who answers for it; the same again changes nothing and leaves no leaf', async () => {
    const agent = await machine(world, 'patched', cast.ben)
    for (let round = 0; round < 2; round++) {
      const answer = await cast.ben.patch(at('patched'), { dpopRequired: true })
      expect([answer.status, answer.body.dpopRequired]).toEqual([200, true])
    }
    expect(await leavesOf(world, agent.id)).toEqual(['agent.changed'])
    const assertion = await sign(agent.privateKey, goodAssertion(world, agent, await nonceFor(world, agent)))
    expect(saidOf(await redeem(world, assertion))).toEqual([400, 'REQUEST_INVALID_DPOP_JKT'])
    expect((await cast.ada.patch(at('patched'), { dpopRequired: false })).body.dpopRequired).toBe(false)
    expect((await redeem(world, assertion)).status).toBe(200)
  })

  test('403 REQUESTOR_NOT_AUTHORIZED: dpopRequired is loosened by an admin alone, whoever set it', async () => {
    for (const by of ['ben', 'ada'] as const) {
      const agent = await machine(world, `tightened by ${by}`, cast.ben)
      await cast[by].patch(at(agent.id), { dpopRequired: true })
      const loosened = await cast.ben.patch(at(agent.id), { dpopRequired: false })
      expect(saidOf(loosened)).toEqual([403, 'REQUESTOR_NOT_AUTHORIZED'])
      expect((await cast.ben.patch(at(agent.id), { dpopRequired: true })).body.dpopRequired).toBe(true)
      expect((await cast.ada.patch(at(agent.id), { dpopRequired: false })).body.dpopRequired).toBe(false)
      expect((await cast.ben.patch(at(agent.id), { dpopRequired: false })).status).toBe(200)
      expect(await leavesOf(world, agent.id)).toEqual(['agent.changed', 'agent.changed'])
    }
  })

  test('200: another owner, by an admin; from then on that person manages it and the first does not', async () => {
    const agent = await machine(world, 'given', cast.ben)
    const answer = await cast.ada.patch(at('given'), { ownerId: cast.cleo.id.toUpperCase() })
    expect([answer.status, answer.body.ownerId]).toEqual([200, cast.cleo.id])
    expect(saidOf(await cast.ben.post(at('given', '/revoke')))).toEqual([403, 'REQUESTOR_NOT_AUTHORIZED'])
    expect((await cast.cleo.post(at('given', '/revoke'))).status).toBe(204)
    expect(await leavesOf(world, agent.id)).toEqual(['agent.changed', 'agent.revoked'])
  })

  test('an agent counts as the person it was given to, where a template counts natural persons (ruling 7)', async () => {
    const agent = await machine(world, 'stand-in', cast.ben)
    const group = await insertGroup(world.ctx, [cast.cleo.id, agent.id])
    const policyId = await insertPolicy(world.ctx, seats(group, 2), { naturalPersons: true })
    for (const id of [cast.cleo.id, agent.id]) await giveRole(world.ctx, id, 'OrgWideWorkflowTemplateVoter')
    const voters = [cast.cleo, await world.signedIn(agent.id)]
    const statusAfterBoth = async (name: string) => {
      await cast.ada.post('/workflows', { name, workflowTemplateId: policyId })
      const vote = { voteType: { type: 'APPROVE', votedForGroups: [group] } }
      const answers = []
      for (const voter of voters) answers.push(await voter.post(`/workflows/${name}/vote`, vote))
      return answers.at(-1)?.body.workflowStatus
    }
    expect(await statusAfterBoth('by-two')).toBe('APPROVED')
    await cast.ada.patch(at(agent.id), { ownerId: cast.cleo.id })
    expect(await statusAfterBoth('by-one')).toBe('EVALUATION_IN_PROGRESS')
  })

  test('400 USER_NOT_FOUND: a user who is disabled', async () => {
    const left = await world.person('Left')
    await world.ctx.db.updateTable('principals').set({ disabled_at: new Date() }).where('id', '=', left.id).execute()
    const answer = await cast.ada.patch(at(target.id), { ownerId: left.id })
    expect(saidOf(answer)).toEqual([400, 'USER_NOT_FOUND'])
  })

  test('an agent that nobody answers for is managed by admins alone, and shows no ownerId', async () => {
    await machine(world, 'orphan')
    expect(saidOf(await cast.ben.get(at('orphan')))).toEqual([403, 'REQUESTOR_NOT_AUTHORIZED'])
    const answer = await cast.ada.get(at('orphan'))
    expect([answer.status, 'ownerId' in answer.body]).toEqual([200, false])
  })
})

/** No key at all, but only its length is looked at: making one takes minutes. */
const tooLong = () => {
  const n = Buffer.alloc(1025, 0xff).toString('base64url')
  return createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' })
}
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pss = generateKeyPairSync('rsa-pss', { modulusLength: 3072 })
table<Who>('POST /v1/agents/{agentIdOrName}/rotate-key', setting, [
  ...refusals('/rotate-key'),
  ...(
    [
      ['a number', () => 7],
      ['an empty text', () => ''],
      ['no base64', () => '-----BEGIN PUBLIC KEY-----'],
      ['no PEM', () => base64('hello')],
      ['an EC key', () => base64(pemOf(ec.publicKey))],
      ['an RSA-PSS key', () => base64(pemOf(pss.publicKey))],
      ['2048 bits', () => base64(pemOf(target.publicKey))],
      [
        'another exponent',
        () => base64(pemOf(generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 }).publicKey)),
      ],
      ['more than 8192 bits', () => base64(pemOf(tooLong()))],
      ['a private key', () => base64(keys.private)],
      ['a certificate', () => base64('-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----')],
      ['longer than any key', () => base64(keys.public).repeat(20)],
    ] as const
  ).map(([name, publicKey]): Case<Who> => {
    const call = {
      as: 'ben' as const,
      path: () => at(target.id, '/rotate-key'),
      body: () => ({ publicKey: publicKey() }),
    }
    return { name: `publicKey is ${name}`, ...call, status: 400, code: 'AGENT_PUBLIC_KEY_INVALID', field: 'publicKey' }
  }),
  {
    name: 'a list for a body',
    as: 'ben',
    path: () => at(target.id, '/rotate-key'),
    body: () => [],
    status: 400,
    code: 'MALFORMED_REQUEST',
  },
])

const generated = generateKeyPairSync('rsa', { modulusLength: 3072 })
const keys = {
  public: pemOf(generated.publicKey),
  private: generated.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
}

describe('POST /v1/agents/{agentIdOrName}/rotate-key', () => {
  test('200: a new pair of 4096 bits, shown once; the same under one Idempotency-Key', async () => {
    const agent = await machine(world, 'rotated', cast.ben)
    const once = { 'idempotency-key': 'rotate' }
    const answer = await cast.ben.post(at('rotated', '/rotate-key'), undefined, once)
    expect(answer).toMatchObject({ status: 200, body: { agentId: agent.id, agentName: 'rotated' } })
    expect(answer.headers['cache-control']).toBe('no-store')
    const privateKey = createPrivateKey(Buffer.from(answer.body.privateKey, 'base64').toString())
    const publicKey = createPublicKey(Buffer.from(answer.body.publicKey, 'base64').toString())
    expect(publicKey.asymmetricKeyDetails?.modulusLength).toBe(4096)
    expect(pemOf(createPublicKey(privateKey))).toBe(pemOf(publicKey))
    expect((await cast.ben.post(at('rotated', '/rotate-key'), undefined, once)).body).toEqual(answer.body)
    expect(await leavesOf(world, agent.id)).toEqual(['agent.key-rotated'])
    await signedInAgent(world, { ...agent, privateKey, publicKey })
    const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().split('\n')[5] ?? ''
    const rows = await world.ctx.db.selectFrom('principals').selectAll().execute()
    const leaves = await world.ctx.db.selectFrom('audit_leaves').selectAll().execute()
    expect(JSON.stringify([rows, leaves])).not.toContain(secret)
  })

  test('200: a key that the caller gives, and no private key; the same key again is refused', async () => {
    const agent = await machine(world, 'given a key', cast.ben)
    const body = { publicKey: base64(keys.public) }
    const answer = await cast.ben.post(at(agent.name, '/rotate-key'), body)
    expect(answer.body).toEqual({ agentId: agent.id, agentName: agent.name, ...body })
    const again = await cast.ben.post(at(agent.name, '/rotate-key'), body)
    expect(saidOf(again)).toEqual([400, 'AGENT_PUBLIC_KEY_INVALID'])
    await signedInAgent(world, { ...agent, ...generated })
  })

  test('ends what the old key signed in: challenges, refresh tokens, sessions, bound access tokens', async () => {
    const agent = await machine(world, 'ended', cast.ben)
    const nonce = await nonceFor(world, agent)
    const tokens = await signedInAgent(world, agent, true)
    await cast.ben.post(at('ended', '/rotate-key'), { publicKey: base64(keys.public) })
    const renewed = { ...agent, ...generated }

    for (const [signer, said] of [
      [agent, [401, 'AGENT_CHALLENGE_INVALID_JWT_SIGNATURE']],
      [renewed, [404, 'AGENT_CHALLENGE_NOT_FOUND']],
    ] as const) {
      const answer = await redeem(world, await sign(signer.privateKey, goodAssertion(world, agent, nonce)))
      expect(saidOf(answer)).toEqual(said)
    }
    const path = '/auth/agents/refresh'
    const dpop = await proofFor(world, renewed, 'POST', path)
    const refreshed = await world.anyone.post(path, { refreshToken: tokens.refreshToken }, { dpop })
    expect(saidOf(refreshed)).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
    for (const signer of [agent, renewed]) {
      const proof = await proofFor(world, signer, 'GET', '/auth/info', tokens.accessToken)
      const headers = { authorization: `DPoP ${tokens.accessToken}`, dpop: proof }
      const answer = await world.anyone.get('/auth/info', undefined, headers)
      expect(saidOf(answer)).toEqual([401, 'DPOP_TOKEN_NOT_BOUND'])
    }
    expect(await endedSessions(agent.id)).toEqual({ open: 0, ended: 1, listed: 1 })
  })
})

const endedSessions = async (agentId: string) => {
  const { db } = world.ctx
  const sessions = await db.selectFrom('sessions').selectAll().where('principal_id', '=', agentId).execute()
  const agent = await db
    .selectFrom('principals')
    .select('ended_sessions')
    .where('id', '=', agentId)
    .executeTakeFirstOrThrow()
  const ended = sessions.filter(({ ended_at: end }) => end !== null).length
  return { open: sessions.length - ended, ended, listed: agent.ended_sessions.length }
}

table<Who>('POST /v1/agents/{agentIdOrName}/revoke', setting, refusals('/revoke'))
table<Who>('POST /v1/agents/{agentIdOrName}/restore', setting, refusals('/restore'))

describe('POST /v1/agents/{agentIdOrName}/revoke and /restore', () => {
  test('204: refused on its next call, at its challenge, its sign-in and its refresh; restored, it signs in anew', async () => {
    const ben = await world.signedIn(cast.ben.id)
    const agent = await machine(world, 'revoked', ben)
    const nonce = await nonceFor(world, agent)
    const tokens = await signedInAgent(world, agent)
    const authorization = `Bearer ${tokens.accessToken}`
    const call = async () => saidOf(await world.anyone.get('/auth/info', undefined, { authorization }))
    const path = '/auth/agents/refresh'
    const refresh = async () => {
      const dpop = await proofFor(world, agent, 'POST', path)
      return saidOf(await world.anyone.post(path, { refreshToken: tokens.refreshToken }, { dpop }))
    }
    const answerTo = async () =>
      saidOf(await redeem(world, await sign(agent.privateKey, goodAssertion(world, agent, nonce))))
    expect(await call()).toEqual([200, undefined])

    for (let round = 0; round < 2; round++) expect((await ben.post(at('revoked', '/revoke'))).status).toBe(204)
    expect(await call()).toEqual([401, 'AGENT_NOT_FOUND'])
    const challenged = await world.anyone.post('/auth/agents/challenge', { agentName: 'revoked' })
    expect(saidOf(challenged)).toEqual([404, 'AGENT_NOT_FOUND'])
    expect(await answerTo()).toEqual([404, 'AGENT_NOT_FOUND'])
    expect(await refresh()).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
    const shown = await ben.get(at('revoked'))
    expect(shown.body.revokedAt).toBe(world.clock.now().toISOString())

    for (let round = 0; round < 2; round++) expect((await ben.post(at('revoked', '/restore'))).status).toBe(204)
    expect('revokedAt' in (await ben.get(at('revoked'))).body).toBe(false)
    expect(await refresh()).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
    expect(await answerTo()).toEqual([404, 'AGENT_CHALLENGE_NOT_FOUND'])
    // Its access token would have lived for most of an hour.
    expect(await call()).toEqual([401, 'SESSION_ENDED'])
    await signedInAgent(world, agent)
    const leaves = await leavesOf(world, agent.id)
    expect(leaves).toEqual(['agent.signed-in', 'sessions.ended', 'agent.revoked', 'agent.restored', 'agent.signed-in'])
  })

  test('403 REQUESTOR_NOT_AUTHORIZED: what an admin revoked only an admin restores, with a new key too', async () => {
    const agent = await machine(world, 'shut by an admin', cast.ben)
    const restoredBy = async (who: 'ada' | 'ben') => saidOf(await cast[who].post(at(agent.id, '/restore')))
    const isRevoked = async () => 'revokedAt' in (await cast.ben.get(at(agent.id))).body
    const refused = [403, 'REQUESTOR_NOT_AUTHORIZED']
    await cast.ada.post(at(agent.id, '/revoke'))
    expect(await restoredBy('ben')).toEqual(refused)
    // Neither another key nor a revocation of one's own on top makes it theirs to restore.
    const rotation = await cast.ben.post(at(agent.id, '/rotate-key'), { publicKey: base64(keys.public) })
    expect(rotation.status).toBe(200)
    expect((await cast.ben.post(at(agent.id, '/revoke'))).status).toBe(204)
    expect([await restoredBy('ben'), await isRevoked()]).toEqual([refused, true])
    expect([await restoredBy('ada'), await isRevoked()]).toEqual([[204, undefined], false])
    // From here on it is as if that had never been.
    await cast.ben.post(at(agent.id, '/revoke'))
    expect([await restoredBy('ben'), await isRevoked()]).toEqual([[204, undefined], false])
    const done = ['agent.revoked', 'agent.key-rotated', 'agent.restored', 'agent.revoked', 'agent.restored']
    expect(await leavesOf(world, agent.id)).toEqual(done)
  })

  test('403 REQUESTOR_NOT_AUTHORIZED: what its owner revoked first and an admin then is restored by admins alone', async () => {
    const agent = await machine(world, 'shut twice', cast.ben)
    await cast.ben.post(at(agent.id, '/revoke'))
    const revokedAt = world.clock.now().toISOString()
    world.clock.advance(1)
    for (let round = 0; round < 2; round++) expect((await cast.ada.post(at(agent.id, '/revoke'))).status).toBe(204)
    expect(saidOf(await cast.ben.post(at(agent.id, '/restore')))).toEqual([403, 'REQUESTOR_NOT_AUTHORIZED'])
    expect((await cast.ben.get(at(agent.id))).body.revokedAt).toBe(revokedAt)
    expect(await leavesOf(world, agent.id)).toEqual(['agent.revoked', 'agent.revoked'])
    expect((await cast.ada.post(at(agent.id, '/restore'))).status).toBe(204)
  })

  test('a revoked agent can neither vote nor be counted by its key in a bound call', async () => {
    const ada = await world.signedIn(cast.ada.id)
    const agent = await machine(world, 'voter', ada)
    const group = await insertGroup(world.ctx, [agent.id])
    const policyId = await insertPolicy(world.ctx, seats(group, 2))
    await giveRole(world.ctx, agent.id, 'OrgWideWorkflowTemplateVoter')
    expect((await ada.post('/workflows', { name: 'w1', workflowTemplateId: policyId })).status).toBe(201)
    const vote = { voteType: { type: 'APPROVE', votedForGroups: [group] } }
    const bearer = await signedInAgent(world, agent)
    const bound = await signedInAgent(world, agent, true)
    const asBearer = async () =>
      saidOf(await world.anyone.post('/workflows/w1/vote', vote, { authorization: `Bearer ${bearer.accessToken}` }))
    const asBound = async () => {
      const dpop = await proofFor(world, agent, 'POST', '/workflows/w1/vote', bound.accessToken)
      const headers = { authorization: `DPoP ${bound.accessToken}`, dpop }
      return saidOf(await world.anyone.post('/workflows/w1/vote', vote, headers))
    }
    expect(await asBearer()).toEqual([200, undefined])
    expect(await asBound()).toEqual([200, undefined])
    await ada.post(at(agent.id, '/revoke'))
    expect(await asBearer()).toEqual([401, 'AGENT_NOT_FOUND'])
    expect(await asBound()).toEqual([401, 'AGENT_NOT_FOUND'])
    // Before its proof is looked at.
    const headers = { authorization: `DPoP ${bound.accessToken}`, dpop: 'no proof' }
    expect(saidOf(await world.anyone.get('/auth/info', undefined, headers))).toEqual([401, 'AGENT_NOT_FOUND'])
  })

  test('a new key may be given to a revoked agent, which stays revoked', async () => {
    const ada = await world.signedIn(cast.ada.id)
    const agent = await machine(world, 'locked out', ada)
    await ada.post(at(agent.id, '/revoke'))
    const { publicKey } = await newKeyPair(3072)
    const answer = await ada.post(at(agent.id, '/rotate-key'), { publicKey: base64(pemOf(publicKey)) })
    expect(answer.status).toBe(200)
    const challenged = await world.anyone.post('/auth/agents/challenge', { agentName: agent.name })
    expect(saidOf(challenged)).toEqual([404, 'AGENT_NOT_FOUND'])
  })

  // Last, since an hour passes.
  test('tells of sessions whose access tokens may still live, and no older ones', async () => {
    const agent = await machine(world, 'long at work', cast.ben)
    await signedInAgent(world, agent)
    // An hour, and two minutes for clocks that disagree.
    world.clock.advance(3_720_001)
    await signedInAgent(world, agent)
    const owner = await world.signedIn(cast.ben.id)
    expect((await owner.post(at(agent.name, '/revoke'))).status).toBe(204)
    expect(await endedSessions(agent.id)).toEqual({ open: 0, ended: 2, listed: 1 })
  })
})
