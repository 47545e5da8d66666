import { createPrivateKey } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maintain } from '../../src/maintenance.ts'
import { leavesOf } from '../helpers/directory.ts'
import {
  goodAssertion,
  machine,
  nonceFor,
  readChallenge,
  redeem,
  saidOf,
  sign,
  signedInAgent,
  tokenBody,
  type Machine,
} from '../helpers/agents.ts'
import { startWorld, type World } from '../helpers/world.ts'

let world: World
let bot: Machine
let other: Machine
beforeAll(async () => {
  world = await startWorld()
  bot = await machine(world, 'bot')
  other = await machine(world, 'other')
})
afterAll(() => world.close())

const challenge = (body: unknown) => world.anyone.post('/auth/agents/challenge', body)
const token = (body: unknown) => world.anyone.post('/auth/agents/token', body)
const minute = 60_000

describe('POST /auth/agents/challenge (contract §1.3, §6.6)', () => {
  it('200: a JSON text that only the agent can read, with the nonce and both names of the expiry', async () => {
    const answer = await challenge({ agentName: 'bot' })
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.body)).toEqual(['challenge'])
    expect(answer.headers['cache-control']).toBe('no-store')
    const terms = readChallenge(bot.privateKey, answer.body.challenge)
    const expiry = '2026-11-21T12:10:00.000Z'
    expect(terms).toEqual({ issuer: 'Quorate', nonce: terms['nonce'], expires_at: expiry, expiresAt: expiry })
    expect(terms['nonce']).toMatch(/^[0-9a-f]{64}$/)
    expect(() => readChallenge(other.privateKey, answer.body.challenge)).toThrow()
  })

  it('keeps the hash of the nonce alone', async () => {
    const nonce = await nonceFor(world, bot)
    const rows = await world.ctx.db.selectFrom('agent_challenges').selectAll().execute()
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain(nonce)
  })

  it('is forgotten a day after it has expired', async () => {
    const late = await startWorld()
    const agent = await machine(late, 'bot')
    await nonceFor(late, agent)
    const kept = async () => (await late.ctx.db.selectFrom('agent_challenges').selectAll().execute()).length
    late.clock.advance(24 * 60 * minute + 10 * minute)
    await maintain(late.ctx)
    expect(await kept()).toBe(1)
    late.clock.advance(1)
    await maintain(late.ctx)
    expect(await kept()).toBe(0)
    await late.close()
  })

  it('names the agent as audience where a key of 4096 bits carries it, and is without where it does not', async () => {
    const owner = await world.person('Owner')
    for (const [agentName, audience] of [
      ['short', 'short'],
      ['x'.repeat(1024), undefined],
    ] as const) {
      const { body } = await owner.post('/agents/register', { agentName })
      const privateKey = createPrivateKey(Buffer.from(body.privateKey, 'base64').toString())
      const answer = await challenge({ agentName })
      expect(answer.status).toBe(200)
      expect(readChallenge(privateKey, answer.body.challenge)['audience']).toBe(audience)
      const registered = { ...bot, name: agentName, privateKey }
      await signedInAgent(world, registered)
    }
  })

  it.each([
    ['no body', undefined],
    ['no name', {}],
    ['an empty name', { agentName: '' }],
    ['a blank name', { agentName: ' \t' }],
    ['a number', { agentName: 7 }],
    ['null', { agentName: null }],
    ['a list for a body', []],
  ])('400 REQUEST_INVALID_AGENT_NAME: %s', async (_what, body) => {
    expect(saidOf(await challenge(body))).toEqual([400, 'REQUEST_INVALID_AGENT_NAME'])
  })

  it('404 AGENT_NOT_FOUND: an unknown name, a name of another case, the id of an agent', async () => {
    for (const agentName of ['nobody', 'BOT', bot.id]) {
      expect(saidOf(await challenge({ agentName }))).toEqual([404, 'AGENT_NOT_FOUND'])
    }
  })

  it('names the agent as audience where a key of 2048 bits carries it, to the byte', async () => {
    for (const [name, audience] of [
      ['ab', 'ab'],
      ['abc', undefined],
    ] as const) {
      const agent = await machine(world, name)
      const { body } = await challenge({ agentName: name })
      expect(readChallenge(agent.privateKey, body.challenge)['audience']).toBe(audience)
    }
  })

  it.each([
    ['without a key', () => ({ public_key: null })],
    ['that was revoked', () => ({ disabled_at: world.clock.now() })],
  ])('404 AGENT_NOT_FOUND: an agent %s, also for a challenge that it was given before', async (what, change) => {
    const name = `agent ${what}`
    const agent = await machine(world, name)
    const nonce = await nonceFor(world, agent)
    await world.ctx.db.updateTable('principals').set(change()).where('id', '=', agent.id).execute()
    expect(saidOf(await challenge({ agentName: name }))).toEqual([404, 'AGENT_NOT_FOUND'])
    const late = await sign(agent.privateKey, goodAssertion(world, agent, nonce))
    expect(saidOf(await redeem(world, late))).toEqual([404, 'AGENT_NOT_FOUND'])
  })
})

describe('POST /auth/agents/token (contract §1.3): the body', () => {
  it.each<[string, unknown, string, string?]>([
    ['no body', undefined, 'REQUEST_INVALID_CLIENT_ASSERTION_FORMAT'],
    ['a list for a body', [], 'REQUEST_INVALID_CLIENT_ASSERTION_FORMAT'],
    ['no grantType', { ...tokenBody('x'), grantType: undefined }, 'REQUEST_INVALID_GRANT_TYPE', 'grantType'],
    ['another grantType', { ...tokenBody('x'), grantType: 'password' }, 'REQUEST_INVALID_GRANT_TYPE', 'grantType'],
    [
      'no clientAssertionType',
      { ...tokenBody('x'), clientAssertionType: undefined },
      'REQUEST_INVALID_CLIENT_ASSERTION_TYPE',
      'clientAssertionType',
    ],
    [
      'another clientAssertionType',
      { ...tokenBody('x'), clientAssertionType: ['jwt'] },
      'REQUEST_INVALID_CLIENT_ASSERTION_TYPE',
      'clientAssertionType',
    ],
    ['no assertion', tokenBody(undefined), 'REQUEST_MISSING_CLIENT_ASSERTION', 'clientAssertion'],
    ['an empty assertion', tokenBody(''), 'REQUEST_MISSING_CLIENT_ASSERTION', 'clientAssertion'],
    ['an assertion that is no text', tokenBody(7), 'REQUEST_INVALID_CLIENT_ASSERTION_FORMAT', 'clientAssertion'],
  ])('400 with %s: %3$s', async (_what, body, code, field) => {
    const answer = await token(body)
    expect(saidOf(answer)).toEqual([400, code])
    if (field !== undefined) expect(answer.body.details).toMatchObject([{ field }])
  })
})

describe('POST /auth/agents/token (contract §1.3): the challenge', () => {
  const assertion = async (agent: Machine, nonce: string) =>
    await sign(agent.privateKey, goodAssertion(world, agent, nonce))

  it('200: tokens that open protected endpoints as the agent, with a leaf and a session', async () => {
    const answer = await redeem(world, await assertion(bot, await nonceFor(world, bot)))
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.body).toSorted()).toEqual(['accessToken', 'refreshToken'])
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(decodeJwt(answer.body.accessToken)).toMatchObject({ sub: 'bot', entityType: 'agent', iss: 'Quorate' })
    const authorization = `Bearer ${answer.body.accessToken}`
    const info = await world.anyone.get('/auth/info', undefined, { authorization })
    expect(info.body).toMatchObject({ entityType: 'agent', id: bot.id })
    expect((await leavesOf(world, bot.id)).at(-1)).toBe('agent.signed-in')
    const sessions = await world.ctx.db
      .selectFrom('sessions')
      .select(['channel', 'ended_at'])
      .where('principal_id', '=', bot.id)
      .execute()
    expect(sessions).toEqual([{ channel: 'agent', ended_at: null }])
  })

  it.each([false, true])(
    'leaves an audit leaf that names the sign-in and says whether it is bound: %s',
    async (isBound) => {
      const agent = await machine(world, `leaf ${isBound}`)
      const { accessToken } = await signedInAgent(world, agent, isBound)
      const { content } = await world.ctx.db
        .selectFrom('audit_leaves')
        .select('content')
        .where('subject_id', '=', agent.id)
        .executeTakeFirstOrThrow()
      expect(JSON.parse(content)).toMatchObject({
        kind: 'agent.signed-in',
        actor: { kind: 'agent', id: agent.id },
        facts: { signIn: decodeJwt(accessToken)['sid'], isBound },
      })
    },
  )

  it('several open challenges of one agent are fine', async () => {
    const nonces = [await nonceFor(world, bot), await nonceFor(world, bot)]
    for (const nonce of nonces) expect((await redeem(world, await assertion(bot, nonce))).status).toBe(200)
  })

  it('404 AGENT_NOT_FOUND: an issuer that is no agent', async () => {
    const stranger = { ...bot, name: 'stranger' }
    expect(saidOf(await redeem(world, await assertion(stranger, 'n')))).toEqual([404, 'AGENT_NOT_FOUND'])
  })

  it('404 AGENT_CHALLENGE_NOT_FOUND: an unknown nonce', async () => {
    const answer = await redeem(world, await assertion(bot, 'f'.repeat(64)))
    expect(saidOf(answer)).toEqual([404, 'AGENT_CHALLENGE_NOT_FOUND'])
  })

  it('400 AGENT_CHALLENGE_INVALID_ISSUER: a nonce that was given to another agent, which stays usable by that one', async () => {
    const nonce = await nonceFor(world, bot)
    expect(saidOf(await redeem(world, await assertion(other, nonce)))).toEqual([400, 'AGENT_CHALLENGE_INVALID_ISSUER'])
    expect((await redeem(world, await assertion(bot, nonce))).status).toBe(200)
  })

  it('401 AGENT_CHALLENGE_CHALLENGE_EXPIRED: from ten minutes on, not before', async () => {
    const [early, late] = [await nonceFor(world, bot), await nonceFor(world, bot)]
    world.clock.advance(10 * minute - 1)
    expect((await redeem(world, await assertion(bot, early))).status).toBe(200)
    world.clock.advance(1)
    expect(saidOf(await redeem(world, await assertion(bot, late)))).toEqual([401, 'AGENT_CHALLENGE_CHALLENGE_EXPIRED'])
  })

  it('409 AGENT_CHALLENGE_CHALLENGE_ALREADY_USED: a second use, also by another assertion', async () => {
    const nonce = await nonceFor(world, bot)
    const first = await assertion(bot, nonce)
    expect((await redeem(world, first)).status).toBe(200)
    for (const again of [first, await sign(bot.privateKey, { ...goodAssertion(world, bot, nonce), aud: 'quorate' })]) {
      expect(saidOf(await redeem(world, again))).toEqual([409, 'AGENT_CHALLENGE_CHALLENGE_ALREADY_USED'])
    }
  })

  it('409 AGENT_CHALLENGE_CONCURRENT_UPDATE or _ALREADY_USED: of eight calls at once one succeeds', async () => {
    const nonce = await nonceFor(world, bot)
    const text = await assertion(bot, nonce)
    const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(world, text)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const lost = answers.filter(({ status }) => status !== 200).map((answer) => `${saidOf(answer).join(' ')}`)
    for (const said of lost) {
      expect(said).toMatch(/^409 AGENT_CHALLENGE_(CONCURRENT_UPDATE|CHALLENGE_ALREADY_USED)$/)
    }
  })

  it('ignores an Idempotency-Key: what was redeemed once is not answered again', async () => {
    const body = tokenBody(await assertion(bot, await nonceFor(world, bot)))
    const key = { 'idempotency-key': 'agent-sign-in' }
    expect((await world.anyone.post('/auth/agents/token', body, key)).status).toBe(200)
    const again = await world.anyone.post('/auth/agents/token', body, key)
    expect(saidOf(again)).toEqual([409, 'AGENT_CHALLENGE_CHALLENGE_ALREADY_USED'])
  })
})
