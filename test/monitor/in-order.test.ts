import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sealNow } from '../../src/audit/seal.ts'
import { lineOf, type Finding } from '../../src/monitor/finding.ts'
import { monitor } from '../../src/monitor/monitor.ts'
import type { SeenLogs } from '../../src/monitor/state-file.ts'
import { snapshotOf } from '../../src/store/open-for-reading.ts'
import { makeBusy, type Busy } from '../helpers/busy.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorld, type World } from '../helpers/world.ts'

describe.each(['postgres', 'pglite'] as const)('a store that nobody has tampered with, on %s', (engine) => {
  let world: World
  let busy: Busy
  let seen: SeenLogs = new Map()
  beforeAll(async () => {
    world = await startWorld({ engine })
    busy = await makeBusy(world)
  })
  afterAll(() => world.close())

  const run = async () => {
    const found: Finding[] = []
    const { config, db } = world.ctx
    const options = { config, seen, pinned: [], report: (finding: Finding) => void found.push(finding) }
    const done = await snapshotOf(db, (tx) => monitor(tx, options))
    seen = done.seen
    return { found: found.map(lineOf), checked: done.checked[0] }
  }

  it('gives no finding before anything is sealed', async () => {
    const { found, checked } = await run()
    expect(found).toEqual([])
    expect(checked).toMatchObject({ size: 0 })
    expect(seen.size).toBe(0)
  })

  it('gives none once everything is sealed, and none in a second run', async () => {
    await sealNow(world.ctx, orgId)
    expect(await run()).toMatchObject({ found: [], checked: { unsealed: 0, isFirstUse: true } })
    const { found, checked } = await run()
    expect(found).toEqual([])
    expect(checked).toMatchObject({ isFirstUse: false })
    expect(seen.get(orgId)?.size).toBe(checked?.size)
    expect(busy.workflows).toBeTruthy()
  })
})
