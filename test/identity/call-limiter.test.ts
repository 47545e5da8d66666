import { afterAll, beforeAll, expect, test } from 'vitest'
import { callLimiter } from '../../src/identity/call-limiter.ts'
import { maintain } from '../../src/maintenance.ts'
import { startWorld, type World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await startWorld({ engine: 'postgres' })
})
afterAll(() => world.close())

/** A limiter as a process of its own would have it. */
const limiter = (rateLimit: number) => callLimiter(world.ctx, rateLimit)
const storedCalls = (caller: string) =>
  world.ctx.db.selectFrom('call_counters').select('calls').where('caller', '=', caller).execute()
const served = async (take: ReturnType<typeof callLimiter>, caller: string, calls: number) => {
  const standings = await Promise.all(Array.from({ length: calls }, () => take(caller)))
  return standings.filter((standing) => !standing.isOver).length
}

test('one process serves exactly the limit, one after the other', async () => {
  const take = limiter(100)
  for (let call = 1; call <= 100; call++) {
    expect(await take('exact')).toMatchObject({ isOver: false, remaining: 100 - call })
  }
  expect(await take('exact')).toMatchObject({ isOver: true, remaining: 0 })
})

test('one process serves exactly the limit to calls that arrive together, and each caller has their own', async () => {
  const take = limiter(100)
  expect(await Promise.all([served(take, 'many', 250), served(take, 'few', 30)])).toEqual([100, 30])
})

test('a limit of one is one call', async () => {
  expect(await served(limiter(1), 'single', 3)).toBe(1)
})

test('several processes together never serve more than the limit, and little less', async () => {
  const processes = [limiter(90), limiter(90), limiter(90)]
  const counts = await Promise.all(processes.map((take) => served(take, 'shared', 60)))
  const total = counts.reduce((sum, count) => sum + count, 0)
  expect(total).toBeLessThanOrEqual(90)
  expect(total).toBeGreaterThan(90 - processes.length * 3)
})

test('a process counts in the store once for many calls, and not at all for a caller who goes on past the limit', async () => {
  const take = limiter(600)
  await served(take, 'block', 20)
  expect(await storedCalls('block')).toEqual([{ calls: 20 }])
  await served(take, 'block', 1)
  expect(await storedCalls('block')).toEqual([{ calls: 40 }])
  await served(take, 'block', 5_000)
  expect(await storedCalls('block')).toEqual([{ calls: 600 }])
})

test('the next minute begins anew', async () => {
  const take = limiter(2)
  world.clock.set(new Date('2026-11-21T12:00:59.999Z'))
  expect(await served(take, 'patient', 3)).toBe(2)
  expect((await take('patient')).resetsAt).toEqual(new Date('2026-11-21T12:01:00.000Z'))
  world.clock.advance(1)
  expect(await served(take, 'patient', 3)).toBe(2)
})

test('calls pass while the store is down', async () => {
  const gone = await startWorld({ engine: 'postgres' })
  await gone.close()
  const take = callLimiter(gone.ctx, 1)
  expect(await served(take, 'lucky', 3)).toBe(3)
})

test('counts of minutes that are over are deleted, and not before', async () => {
  const take = limiter(600)
  await take('forgotten')
  await maintain(world.ctx)
  expect(await storedCalls('forgotten')).toHaveLength(1)
  world.clock.advance(361_000)
  await maintain(world.ctx)
  expect(await storedCalls('forgotten')).toEqual([])
})
