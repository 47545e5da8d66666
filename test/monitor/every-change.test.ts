import { expect, it } from 'vitest'
import { sealNow } from '../../src/audit/seal.ts'
import { lineOf } from '../../src/monitor/finding.ts'
import type { SeenLogs } from '../../src/monitor/state-file.ts'
import { startScene, steps, world } from '../audit/steps.ts'
import { orgId } from '../helpers/quorum.ts'
import { findingsOf } from './tried.ts'

it('finds nothing after any kind of change, sealed or not', { timeout: 300_000 }, async () => {
  await using _ = await startScene()
  let seen: SeenLogs = new Map()
  const found: string[] = []
  for (const [place, { name, does }] of steps.entries()) {
    await does()
    if (place % 3 === 0) await sealNow(world.ctx, orgId)
    const after = await findingsOf(world, seen)
    seen = after.seen
    found.push(...after.found.map((finding) => `${name}: ${lineOf(finding)}`))
  }
  expect(found).toEqual([])
  expect(seen.get(orgId)?.size).toBeGreaterThan(steps.length / 2)
})
