import { expect, test, vi } from 'vitest'
import { startWorld, type World } from './helpers/world.ts'

const ok = { status: 200, body: { status: 'OK' } }
const down = { status: 503, body: { status: 'DEPENDENCY_ERROR', message: 'The store cannot be reached.' } }

/** The world with how often its store was asked whether it is there. */
async function startCounted(rateLimit: string): Promise<{ world: World; lookUps: () => number }> {
  const world = await startWorld({ engine: 'postgres', env: { QUORATE_RATE_LIMIT: rateLimit } })
  const asked = vi.spyOn(world.ctx.db.getExecutor(), 'executeQuery')
  return { world, lookUps: () => asked.mock.calls.length }
}

test('health is answered to anyone at three paths', async () => {
  await using world = await startWorld()
  for (const path of ['/health', '/internal/health', '/ping']) {
    expect(await world.anyone.get(path)).toMatchObject(ok)
    expect((await world.anyone.get(path)).body).toEqual({ status: 'OK' })
  }
})

test('the store is asked once a second at most, however often health is', async () => {
  const { world, lookUps } = await startCounted('0')
  const poll = () => Promise.all(Array.from({ length: 20 }, () => world.anyone.get('/health')))
  expect((await poll()).every(({ status }) => status === 200)).toBe(true)
  world.clock.advance(999)
  await poll()
  expect(lookUps()).toBe(1)
  world.clock.advance(1)
  await poll()
  expect(lookUps()).toBe(2)
  await world.close()
})

test('a store that is gone is 503 within a second, while ping still answers', async () => {
  const world = await startWorld({ engine: 'postgres' })
  expect(await world.anyone.get('/health')).toMatchObject(ok)
  await world.ctx.close()
  world.clock.advance(1000)
  expect(await world.anyone.get('/health')).toMatchObject(down)
  expect((await world.anyone.get('/internal/health')).body).toEqual(down.body)
  expect(await world.anyone.get('/ping')).toMatchObject(ok)
  await world.app.close()
})

test('with a rate limit each address may ask once a second, whichever path it takes', async () => {
  await using world = await startWorld({ env: { QUORATE_RATE_LIMIT: '600' } })
  const ask = async (path: string, remoteAddress: string) => {
    const { statusCode, json } = await world.app.inject({ url: path, remoteAddress })
    return statusCode === 200 ? statusCode : `${statusCode} ${json().code}`
  }
  expect(await ask('/health', '192.0.2.1')).toBe(200)
  expect(await ask('/internal/health', '192.0.2.1')).toBe('429 TOO_MANY_REQUESTS')
  expect(await ask('/health', '192.0.2.2')).toBe(200)
  world.clock.advance(999)
  expect(await ask('/health', '192.0.2.1')).toBe('429 TOO_MANY_REQUESTS')
  world.clock.advance(1)
  expect(await ask('/health', '192.0.2.1')).toBe(200)
  expect(await ask('/ping', '192.0.2.1')).toBe(200)
})
