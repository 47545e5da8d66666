import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hashOfRefreshToken } from '../../src/identity/token-pair.ts'
import { findRefreshToken, lockRefreshFamily, markRefreshTokenUsed } from '../../src/store/refresh-tokens.ts'
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
import { openBrowser } from '../helpers/browser.ts'
import { madeUnder } from '../helpers/held.ts'
import { untilWaiting } from '../helpers/lock-waits.ts'
import { startedSignIn } from '../helpers/sign-in.ts'
import { startWorld, type Answer, type World } from '../helpers/world.ts'

/** Calls that found what they need still good, and wait for another call that is using it up. */
let world: World
let bot: Machine
beforeAll(async () => {
  world = await startWorld({ engine: 'postgres' })
  bot = await machine(world, 'bot')
})
afterAll(() => world.close())

type Refresh = () => Promise<Answer>
const holders: [string, () => Promise<{ refreshToken: string; refresh: Refresh }>][] = [
  [
    '/auth/cli/refresh',
    async () => {
      const { body } = await world.anyone.post('/auth/cli/token', await startedSignIn(world, 'cli@example.com'))
      const { refreshToken } = body
      return { refreshToken, refresh: () => world.anyone.post('/auth/cli/refresh', { refreshToken }) }
    },
  ],
  [
    '/auth/web/refresh',
    async () => {
      const browser = openBrowser(world)
      await browser.signIn('web@example.com')
      const refreshToken = browser.jar.get('refresh_token')?.value ?? ''
      return { refreshToken, refresh: () => browser.send('POST', '/auth/web/refresh') }
    },
  ],
  [
    '/auth/agents/refresh',
    async () => {
      const { refreshToken } = await signedInAgent(world, bot)
      const dpop = await proofFor(world, bot, 'POST', '/auth/agents/refresh')
      return { refreshToken, refresh: () => world.anyone.post('/auth/agents/refresh', { refreshToken }, { dpop }) }
    },
  ],
]

it.each(holders)('POST %s 409 REFRESH_TOKEN_CONCURRENT_UPDATE: overtaken by another refresh', async (_path, signIn) => {
  const { refreshToken, refresh } = await signIn()
  const { db } = world.ctx
  const hash = hashOfRefreshToken(refreshToken)
  const { refreshed } = await db.transaction().execute(async (tx) => {
    await lockRefreshFamily(tx, (await findRefreshToken(tx, hash))?.family_id ?? '')
    const call = refresh()
    await untilWaiting(db)
    await markRefreshTokenUsed(tx, hash, world.clock.now())
    return { refreshed: call }
  })
  expect(saidOf(await refreshed)).toEqual([409, 'REFRESH_TOKEN_CONCURRENT_UPDATE'])
})

it('POST /auth/agents/token 409 AGENT_CHALLENGE_CONCURRENT_UPDATE: overtaken by another sign-in', async () => {
  const assertion = await sign(bot.privateKey, goodAssertion(world, bot, await nonceFor(world, bot)))
  const { db } = world.ctx
  const { redeemed } = await db.transaction().execute(async (tx) => {
    const used = { used_at: world.clock.now() }
    await tx.updateTable('agent_challenges').set(used).where('used_at', 'is', null).execute()
    const call = redeem(world, assertion)
    await untilWaiting(db)
    return { redeemed: call }
  })
  expect(saidOf(await redeemed)).toEqual([409, 'AGENT_CHALLENGE_CONCURRENT_UPDATE'])
})

it('POST /auth/cli/token 409 PKCE_CODE_CONCURRENCY_CONFLICT: the other of two that found a state unused gets its tokens', async () => {
  const proof = await startedSignIn(world, 'ben@example.com')
  const exchange = () => world.anyone.post('/auth/cli/token', proof)
  const held = sql`select 1 from sign_in_flows for update`
  const answers = await madeUnder(world.ctx.db, held, [exchange, exchange])
  expect(answers.map(saidOf)).toEqual([
    [200, undefined],
    [409, 'PKCE_CODE_CONCURRENCY_CONFLICT'],
  ])
})
