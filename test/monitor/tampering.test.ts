import { describe, expect, it } from 'vitest'
import { watchedTables } from '../../src/monitor/watched-tables.ts'
import { startWorld } from '../helpers/world.ts'
import { documented } from './columns.ts'
import { allTricks, makeWatched, runTamperings } from './tamper-run.ts'

// Half of the ways, always the same; `npm run test:tamper` plays all of them.
describe('what was tampered with is named', () => {
  it('in many ways, on PostgreSQL', { timeout: 300_000 }, async () => {
    await using world = await startWorld({ engine: 'postgres' })
    const seen = await makeWatched(world)
    const half = allTricks.length / 2
    const { played, missed, byTrick } = await runTamperings(world, seen, { count: half, seed: 20 })
    expect(missed).toEqual([])
    expect(played).toBe(half)
    expect(Math.max(...byTrick.values())).toBe(1)
  })

  it('in some ways, on PGlite', { timeout: 300_000 }, async () => {
    await using world = await startWorld({ engine: 'pglite' })
    const seen = await makeWatched(world)
    const { missed } = await runTamperings(world, seen, { count: 12, seed: 21 })
    expect(missed).toEqual([])
  })
})

it('lists every watched table and column in the documentation', () => {
  expect(documented).toEqual(watchedTables)
})
