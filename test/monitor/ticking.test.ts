import { expect, it } from 'vitest'
import { lineOf } from '../../src/monitor/finding.ts'
import { makeBusyCustody } from '../helpers/busy-custody.ts'
import { startWorld } from '../helpers/world.ts'
import { findingsOf } from './tried.ts'

it('finds no time that a leaf tells otherwise where the clock never stands still', { timeout: 60_000 }, async () => {
  await using world = await startWorld()
  const ada = await world.person('Ada', { admin: true })
  const start = world.clock.now().getTime()
  let ticks = 0
  Object.assign(world.clock, {
    advance: (milliseconds: number) => void (ticks += milliseconds),
    now: () => new Date(start + ++ticks),
  })
  await makeBusyCustody(world, ada)
  expect((await findingsOf(world, new Map())).found.map(lineOf)).toEqual([])
})
