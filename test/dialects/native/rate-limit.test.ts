import { afterEach, beforeEach, expect, test } from 'vitest'
import { agent, ghost } from '../../helpers/directory.ts'
import { bearing, madeKey, said } from '../../helpers/machine.ts'
import { startWorld, type Answer, type Client, type World } from '../../helpers/world.ts'

let world: World
let ada: Client

beforeEach(async () => {
  world = await startWorld({ env: { QUORATE_RATE_LIMIT: '3' } })
  ada = await world.person('Ada', { admin: true })
})
afterEach(() => world.close())

const rateHeaders = ({ headers }: Answer) => [headers['ratelimit'], headers['ratelimit-policy'], headers['retry-after']]
const policy = '3;w=60'
const nextMinute = 'Sat, 21 Nov 2026 12:01:00 GMT'

test('every answer to someone signed in says how they stand, refusals too', async () => {
  expect(rateHeaders(await ada.get('/roles'))).toEqual(['limit=3, remaining=2, reset=60', policy, nextMinute])
  world.clock.advance(10_500)
  const refused = await ada.post('/groups', {})
  expect(refused.status).toBe(400)
  expect(rateHeaders(refused)).toEqual(['limit=3, remaining=1, reset=50', policy, nextMinute])
})

test('a call over the limit is 429 before its body is looked at, and the next minute is free again', async () => {
  for (let call = 0; call < 3; call++) expect((await ada.get('/roles')).status).toBe(200)
  const over = await ada.post('/groups', '{not JSON')
  expect(over).toMatchObject({ status: 429, body: { code: 'TOO_MANY_REQUESTS' } })
  expect(rateHeaders(over)).toEqual(['limit=3, remaining=0, reset=60', policy, nextMinute])
  world.clock.advance(60_000)
  expect((await ada.get('/roles')).status).toBe(200)
})

test('a token that does not verify is told before the limit, and counts for nobody', async () => {
  for (let call = 0; call < 5; call++) {
    const answer = await world.anyone.get('/roles', undefined, { authorization: `Bearer ${ada.token}x` })
    expect(answer).toMatchObject({ status: 401, body: { code: 'JWT_TOKEN_INVALID' } })
    expect(rateHeaders(answer)).toEqual([undefined, undefined, undefined])
  }
  expect((await ada.get('/roles')).headers['ratelimit']).toBe('limit=3, remaining=2, reset=60')
})

test('each person and each agent has a limit of their own, whichever token they send', async () => {
  const bot = await agent(world, 'bot', ada)
  for (let call = 0; call < 3; call++) await ada.get('/roles')
  expect((await bot.get('/roles')).status).toBe(200)
  expect((await world.person('Ben').then((ben) => ben.get('/roles'))).status).toBe(200)
  world.clock.advance(1)
  expect((await (await world.signedIn(ada.id)).get('/roles')).status).toBe(429)
})

test('each API key has a limit of its own, apart from its principal and from other keys', async () => {
  const [one, other] = [await madeKey(ada), await madeKey(ada)]
  const call = async (key: string) => await bearing(world, key).get('/roles')
  for (let left = 2; left >= 0; left--) {
    expect(rateHeaders(await call(one.key))[0]).toBe(`limit=3, remaining=${left}, reset=60`)
  }
  expect(said(await call(one.key))).toEqual([429, 'TOO_MANY_REQUESTS'])
  expect(rateHeaders(await call(other.key))[0]).toBe('limit=3, remaining=2, reset=60')
  // The two calls that made the keys are all that is counted for their person.
  expect(rateHeaders(await ada.get('/roles'))[0]).toBe('limit=3, remaining=0, reset=60')
})

test('a call that an API key has no scope for is counted before it is refused', async () => {
  const { key } = await madeKey(ada, { scopes: ['native:read'] })
  const call = async () => await bearing(world, key).post('/groups', {})
  const missing = await call()
  expect(said(missing)).toEqual([403, 'API_KEY_SCOPE_MISSING'])
  expect(rateHeaders(missing)).toEqual(['limit=3, remaining=2, reset=60', policy, nextMinute])
  for (let left = 0; left < 2; left++) expect(said(await call())).toEqual([403, 'API_KEY_SCOPE_MISSING'])
  expect(said(await call())).toEqual([429, 'TOO_MANY_REQUESTS'])
})

test('a caller who is gone is limited like any other', async () => {
  const gone = await ghost(world)
  for (let call = 0; call < 3; call++) expect((await gone.get('/roles')).status).toBe(401)
  expect((await gone.get('/roles')).status).toBe(429)
})

test('calls without a token are not counted, and say nothing of a limit', async () => {
  for (let call = 0; call < 5; call++) {
    const answer = await world.anyone.post('/auth/cli/initiate', { redirectUri: 'http://localhost:1/cb' })
    expect(answer.status).toBe(200)
    expect(rateHeaders(answer)).toEqual([undefined, undefined, undefined])
  }
  expect(rateHeaders(await ada.get('/no/such/route'))).toEqual([undefined, undefined, undefined])
})

test('0 switches the limit off', async () => {
  await using free = await startWorld({ env: { QUORATE_RATE_LIMIT: '0' } })
  const ben = await free.person('Ben')
  for (let call = 0; call < 700; call++) await ben.get('/roles')
  expect(rateHeaders(await ben.get('/roles'))).toEqual([undefined, undefined, undefined])
  expect(await free.ctx.db.selectFrom('call_counters').selectAll().execute()).toEqual([])
})
