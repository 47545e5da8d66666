import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  goodAssertion,
  machine,
  nonceFor,
  proofFor,
  redeem,
  saidOf,
  sign,
  signedInAgent,
  type Machine,
} from '../helpers/agents.ts'
import { inBatches } from '../helpers/crowd.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { madeUnder } from '../helpers/held.ts'
import { startTwoProcesses, type Remote, type TwoProcesses } from '../helpers/two-processes.ts'
import { startWorld, type Answer, type Client, type World } from '../helpers/world.ts'

/** What works once works once, however many servers are asked for it at the same moment. */
describe('two processes on one database', () => {
  let worlds: readonly [World, World]
  let bot: Machine
  let ada: Client
  let two: TwoProcesses
  beforeAll(async () => {
    const databaseUrl = await freshDatabase()
    const here = { databaseUrl, start: new Date() }
    worlds = [await startWorld(here), await startWorld(here)]
    two = await startTwoProcesses({ DATABASE_URL: databaseUrl, QUORATE_PUBLIC_URL: 'http://localhost' })
    ada = await worlds[0].person('Ada', { admin: true })
    bot = await machine(worlds[0], 'bot', ada)
  })
  // The processes have the real time.
  beforeEach(() => worlds.forEach(({ clock }) => clock.set(new Date())))
  afterAll(async () => {
    await two[Symbol.asyncDispose]()
    for (const world of worlds) await world.close()
  })

  const outcomeOf = (answer: Answer) => saidOf(answer).join(' ').trim()

  it('of 1,000 redemptions of one challenge exactly one succeeds, and the others are 409', async () => {
    const assertion = await sign(bot.privateKey, goodAssertion(worlds[0], bot, await nonceFor(worlds[0], bot)))
    const { '200': won, ...lost } = await two.tally(1000, (at) => redeem(at, assertion), outcomeOf)
    expect(won).toBe(1)
    expect(Object.values(lost).reduce((sum, each) => sum + each, 0)).toBe(999)
    const codes = ['409 AGENT_CHALLENGE_CHALLENGE_ALREADY_USED', '409 AGENT_CHALLENGE_CONCURRENT_UPDATE']
    expect(Object.keys(lost).filter((each) => !codes.includes(each))).toEqual([])
    const sessions = await worlds[0].ctx.db.selectFrom('sessions').select('id').execute()
    const tokens = await worlds[0].ctx.db.selectFrom('refresh_tokens').select('token_hash').execute()
    expect([sessions.length, tokens.length]).toEqual([1, 1])
  })

  it('of 1,000 calls with one DPoP proof exactly one is let in', async () => {
    const { accessToken } = await signedInAgent(worlds[0], bot, true)
    const dpop = await proofFor(worlds[0], bot, 'GET', '/auth/info', accessToken)
    const headers = { authorization: `DPoP ${accessToken}`, dpop }
    const said = await two.tally(1000, (at) => at.anyone.get('/auth/info', undefined, headers), outcomeOf)
    expect(said).toEqual({ '200': 1, '401 DPOP_JTI_REUSED': 999 })
  })

  it('of 200 refreshes with one proof, each of a sign-in of its own, exactly one succeeds', async () => {
    const tokens: string[] = []
    await inBatches(Array.from({ length: 200 }), 8, async (_each, round) => {
      tokens.push((await signedInAgent(worlds[round % 2] as World, bot)).refreshToken)
    })
    const path = '/auth/agents/refresh'
    const dpop = await proofFor(worlds[0], bot, 'POST', path)
    const refresh = (at: Remote) => at.anyone.post(path, { refreshToken: tokens.pop() }, { dpop })
    const said = await two.tally(200, refresh, outcomeOf)
    expect(said).toEqual({ '200': 1, '401 DPOP_JTI_REUSED': 199 })
  })

  it('a revocation beside a sign-in and a refresh leaves nothing to go on with, once it has been answered', async () => {
    const path = '/auth/agents/refresh'
    for (let round = 0; round < 20; round++) {
      const agent = await machine(worlds[0], `raced ${round}`, ada)
      const { refreshToken } = await signedInAgent(worlds[0], agent)
      const assertion = await sign(agent.privateKey, goodAssertion(worlds[0], agent, await nonceFor(worlds[0], agent)))
      const dpop = await proofFor(worlds[0], agent, 'POST', path)
      const [revoked] = await Promise.all([
        ada.post(`/v1/agents/${agent.id}/revoke`),
        redeem(worlds[1], assertion),
        worlds[1].anyone.post(path, { refreshToken }, { dpop }),
      ])
      expect(revoked.status).toBe(204)
      const alive = await worlds[0].ctx.db
        .selectFrom('refresh_tokens')
        .select('token_hash')
        .where('principal_id', '=', agent.id)
        .where('revoked_at', 'is', null)
        .execute()
      expect(alive).toEqual([])
    }
  })

  it('a revocation waits for the refresh in hand, and ends the token that it issues', async () => {
    const [{ ctx }, there] = worlds
    const path = '/auth/agents/refresh'
    const agent = await machine(worlds[0], 'overtaken', ada)
    const { refreshToken } = await signedInAgent(worlds[0], agent)
    const dpop = await proofFor(worlds[0], agent, 'POST', path)
    // The refresh has read the agent and stops at its own token, which is held here.
    const answers = await madeUnder(
      ctx.db,
      sql`select 1 from refresh_tokens where principal_id = ${agent.id} for update`,
      [() => there.anyone.post(path, { refreshToken }, { dpop }), () => ada.post(`/v1/agents/${agent.id}/revoke`)],
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 204])
    const tokens = ctx.db.selectFrom('refresh_tokens').select('revoked_at').where('principal_id', '=', agent.id)
    expect((await tokens.execute()).map(({ revoked_at: at }) => at !== null)).toEqual([true, true])
  })
})
