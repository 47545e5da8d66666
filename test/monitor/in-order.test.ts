import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sealNow } from '../../src/audit/seal.ts'
import { lineOf } from '../../src/monitor/finding.ts'
import type { SeenLog } from '../../src/monitor/seen-log.ts'
import type { SeenLogs } from '../../src/monitor/state-file.ts'
import { makeBusy } from '../helpers/busy.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorld, type World } from '../helpers/world.ts'
import { eraseEverything } from './erasing.ts'
import { findingsOf } from './tried.ts'

describe.each(['postgres', 'pglite'] as const)('a store that nobody has tampered with, on %s', (engine) => {
  let world: World
  let seen: SeenLogs = new Map()
  beforeAll(async () => {
    world = await startWorld({ engine })
    await makeBusy(world)
  })
  afterAll(() => world.close())

  const run = async () => {
    const after = await findingsOf(world, seen)
    seen = after.seen
    return { ...after, found: after.found.map(lineOf) }
  }

  it('gives no finding before anything is sealed', async () => {
    expect(await run()).toMatchObject({ found: [] })
    expect(seen.size).toBe(0)
  })

  it('gives none once everything is sealed, and none in a second run', async () => {
    await sealNow(world.ctx, orgId)
    expect(await run()).toMatchObject({ found: [], unsealed: 0 })
    const { size } = seen.get(orgId) as SeenLog
    expect(size).toBeGreaterThan(100)
    expect(await run()).toMatchObject({ found: [], unsealed: 0 })
    expect(seen.get(orgId)).toMatchObject({ size })
  })

  it('gives none where names and reasons were erased lawfully, before that is sealed and after, and counts them', async () => {
    await world.ctx.db.transaction().execute((tx) => eraseEverything(tx, world.ctx))
    expect(await run()).toMatchObject({ found: [] })
    await sealNow(world.ctx, orgId)
    const { found, erased } = await run()
    expect(found).toEqual([])
    expect(erased).toBeGreaterThan(50)
  })

  it('gives some where they were erased otherwise', async () => {
    const { db } = world.ctx
    await db.updateTable('audit_leaves').set({ private: null }).where('kind', '=', 'organization.created').execute()
    expect((await run()).found).toEqual([expect.stringContaining('edited private.name')])
  })
})
