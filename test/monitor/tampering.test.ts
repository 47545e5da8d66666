import { describe, expect, it } from 'vitest'
import { watchedTables } from '../../src/monitor/watched-tables.ts'
import { startWorld } from '../helpers/world.ts'
import { documented } from './columns.ts'
import { custodyTricks } from './custody-tricks.ts'
import { allTricks, makeWatched, runTamperings } from './tamper-run.ts'

// `npm run test:tamper` does more of it.
describe('what was tampered with is named', () => {
  it('in every way once, on PostgreSQL', { timeout: 300_000 }, async () => {
    await using world = await startWorld({ engine: 'postgres' })
    const seen = await makeWatched(world)
    const all = allTricks.length
    const { played, missed, byTrick } = await runTamperings(world, seen, { count: all, seed: 20 })
    expect(missed).toEqual([])
    expect(played).toBe(all)
    // A few are refused by the database on the row that they pick, and others are played twice in their place.
    expect(byTrick.size).toBeGreaterThan(all - 10)
    const never = custodyTricks.filter(({ name }) => !byTrick.has(name))
    expect(never.map(({ name }) => name)).toEqual([])
  })

  it('in some ways, on PGlite', { timeout: 300_000 }, async () => {
    await using world = await startWorld({ engine: 'pglite' })
    const seen = await makeWatched(world)
    const { missed } = await runTamperings(world, seen, { count: 25, seed: 21 })
    expect(missed).toEqual([])
  })
})

it('lists every watched table and column in the documentation', () => {
  expect(documented).toEqual(watchedTables)
})
