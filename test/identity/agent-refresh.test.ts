import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startedSignIn } from '../helpers/sign-in.ts'
import { machine, proofFor, saidOf, signedInAgent, type Machine } from '../helpers/agents.ts'
import { startWorld, type World } from '../helpers/world.ts'

const path = '/auth/agents/refresh'
let world: World
let bot: Machine
beforeAll(async () => {
  world = await startWorld()
  bot = await machine(world, 'bot')
})
afterAll(() => world.close())

const second = 1000
const day = 86_400 * second
const token = async () => (await signedInAgent(world, bot)).refreshToken
const refresh = async (refreshToken: unknown, agent = bot) =>
  await world.anyone.post(path, { refreshToken }, { dpop: await proofFor(world, agent, 'POST', path) })
const refused = async (refreshToken: unknown, agent = bot) => saidOf(await refresh(refreshToken, agent))
const renewed = async (refreshToken: string): Promise<string> => {
  const answer = await refresh(refreshToken)
  expect(answer.status).toBe(200)
  return answer.body.refreshToken
}

describe('POST /auth/agents/refresh (contract §1.3, §6.5)', () => {
  it('200: a new pair, of which the access token works', async () => {
    const answer = await refresh(await token())
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.body).toSorted()).toEqual(['accessToken', 'refreshToken'])
    expect(answer.headers['cache-control']).toBe('no-store')
    const authorization = `Bearer ${answer.body.accessToken}`
    expect((await world.anyone.get('/auth/info', undefined, { authorization })).body.id).toBe(bot.id)
  })

  it.each([
    ['no body', undefined, 'REQUEST_EMPTY_BODY'],
    ['an empty object', {}, 'REQUEST_MISSING_REFRESH_TOKEN'],
    ['null', { refreshToken: null }, 'REQUEST_INVALID_REFRESH_TOKEN'],
    ['a number', { refreshToken: 7 }, 'REQUEST_INVALID_REFRESH_TOKEN'],
    ['an empty text', { refreshToken: '' }, 'REQUEST_INVALID_REFRESH_TOKEN'],
    ['a list for a body', [], 'MALFORMED_REQUEST'],
  ])('400 with %s: %3$s', async (_what, body, code) => {
    const dpop = await proofFor(world, bot, 'POST', path)
    expect(saidOf(await world.anyone.post(path, body, { dpop }))).toEqual([400, code])
  })

  it('400 REQUEST_INVALID_DPOP_JKT: no header DPoP, or a blank one; the token stays usable', async () => {
    const refreshToken = await token()
    for (const headers of [{}, { dpop: '' }, { dpop: '  ' }]) {
      const answer = await world.anyone.post(path, { refreshToken }, headers)
      expect(saidOf(answer)).toEqual([400, 'REQUEST_INVALID_DPOP_JKT'])
      expect(answer.body.details).toMatchObject([{ field: 'DPoP' }])
    }
    await renewed(refreshToken)
  })

  it('401 REFRESH_TOKEN_NOT_FOUND: an unknown token', async () => {
    expect(await refused('x'.repeat(43))).toEqual([401, 'REFRESH_TOKEN_NOT_FOUND'])
  })

  it("401 REFRESH_TOKEN_ENTITY_MISMATCH: a user's token", async () => {
    const { body } = await world.anyone.post('/auth/cli/token', await startedSignIn(world, 'ben@example.com'))
    expect(await refused(body.refreshToken)).toEqual([401, 'REFRESH_TOKEN_ENTITY_MISMATCH'])
  })

  it('401 REFRESH_TOKEN_EXPIRED: from 30 days on', async () => {
    const [early, late] = [await token(), await token()]
    world.clock.advance(30 * day - 1)
    await renewed(early)
    world.clock.advance(1)
    expect(await refused(late)).toEqual([401, 'REFRESH_TOKEN_EXPIRED'])
  })

  it('409 REFRESH_TOKEN_REUSE_DETECTED after 30 s, and 401 REFRESH_TOKEN_REVOKED for the whole family', async () => {
    const first = await token()
    const next = await renewed(first)
    world.clock.advance(30 * second)
    await renewed(first)
    world.clock.advance(1)
    expect(await refused(first)).toEqual([409, 'REFRESH_TOKEN_REUSE_DETECTED'])
    expect(await refused(next)).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
  })

  it('the token is judged before the proof', async () => {
    const answer = await world.anyone.post(path, { refreshToken: 'unknown' }, { dpop: 'no proof' })
    expect(saidOf(answer)).toEqual([401, 'REFRESH_TOKEN_NOT_FOUND'])
  })

  it('400 DPOP_INVALID_SIGNATURE: the proof of another agent, which does not use up the token', async () => {
    const thief = await machine(world, 'thief')
    const refreshToken = await token()
    expect(await refused(refreshToken, thief)).toEqual([400, 'DPOP_INVALID_SIGNATURE'])
    await renewed(refreshToken)
  })

  it.each([
    ['without a key', () => ({ public_key: null })],
    ['that is disabled', () => ({ disabled_at: world.clock.now() })],
  ])('401 AGENT_NOT_FOUND: of an agent %s, though nothing ended its sign-in', async (what, change) => {
    const agent = await machine(world, `agent ${what}`)
    const { refreshToken } = await signedInAgent(world, agent)
    await world.ctx.db.updateTable('principals').set(change()).where('id', '=', agent.id).execute()
    const answer = await world.anyone.post(path, { refreshToken }, { dpop: 'no proof' })
    expect(saidOf(answer)).toEqual([401, 'AGENT_NOT_FOUND'])
  })

  it('200 or 409 REFRESH_TOKEN_CONCURRENT_UPDATE: many at once, each with a proof of its own', async () => {
    const refreshToken = await token()
    const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(refreshToken)))
    const said = answers.map((answer) => saidOf(answer).join(' ').trim())
    expect(said.filter((each) => each === '200').length).toBeGreaterThan(0)
    expect(said.filter((each) => !['200', '409 REFRESH_TOKEN_CONCURRENT_UPDATE'].includes(each))).toEqual([])
  })

  it('ignores an Idempotency-Key, which would answer without a proof', async () => {
    const refreshToken = await token()
    const send = async (dpop: string) =>
      await world.anyone.post(path, { refreshToken }, { dpop, 'idempotency-key': 'same' })
    expect((await send(await proofFor(world, bot, 'POST', path))).status).toBe(200)
    expect(saidOf(await send('no proof'))).toEqual([400, 'DPOP_JWT_INVALID'])
  })
})
