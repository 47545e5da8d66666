import { decodeJwt } from 'jose'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { goodAssertion, machine, nonceFor, redeem, saidOf, sign } from '../helpers/agents.ts'
import { madeUnder } from '../helpers/held.ts'
import { startedSignIn } from '../helpers/sign-in.ts'
import { startWorld, type Answer, type World } from '../helpers/world.ts'

/** Two calls find something unused at the same moment; each waits to use it. */
let world: World
beforeAll(async () => void (world = await startWorld({ engine: 'postgres' })))
afterAll(() => world.close())

const bothUnder = async (lock: ReturnType<typeof sql>, call: () => Promise<Answer>) =>
  (await madeUnder(world.ctx.db, lock, [call, call])).map(saidOf)
const ok = [200, undefined]

describe('of two calls that find it unused, the one that waited longer gets', () => {
  it('the challenge of an agent: the other 409 AGENT_CHALLENGE_CONCURRENT_UPDATE', async () => {
    const bot = await machine(world, 'bot')
    const assertion = await sign(bot.privateKey, goodAssertion(world, bot, await nonceFor(world, bot)))
    const lock = sql`select 1 from agent_challenges where principal_id = ${bot.id} for update`
    const said = await bothUnder(lock, () => redeem(world, assertion))
    expect(said).toEqual([ok, [409, 'AGENT_CHALLENGE_CONCURRENT_UPDATE']])
  })

  it('the state of a sign-in: the other 409 PKCE_CODE_CONCURRENCY_CONFLICT', async () => {
    const proof = await startedSignIn(world, 'ben@example.com')
    const said = await bothUnder(sql`select 1 from sign_in_flows for update`, () =>
      world.anyone.post('/auth/cli/token', proof),
    )
    expect(said).toEqual([ok, [409, 'PKCE_CODE_CONCURRENCY_CONFLICT']])
  })

  it('a refresh token: the other 409 REFRESH_TOKEN_CONCURRENT_UPDATE', async () => {
    const { body } = await world.anyone.post('/auth/cli/token', await startedSignIn(world, 'cleo@example.com'))
    const { sub } = decodeJwt(body.accessToken)
    const said = await bothUnder(sql`select 1 from refresh_tokens where principal_id = ${sub} for update`, () =>
      world.anyone.post('/auth/cli/refresh', { refreshToken: body.refreshToken }),
    )
    expect(said).toEqual([ok, [409, 'REFRESH_TOKEN_CONCURRENT_UPDATE']])
  })
})
