import { expect, it } from 'vitest'
import { sealNow } from '../../src/audit/seal.ts'
import { keptWhole, blockSize, type SeenLog } from '../../src/monitor/seen-log.ts'
import { readState, writeState } from '../../src/monitor/state-file.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillLeaves } from '../helpers/log.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorld } from '../helpers/world.ts'
import { findingsOf } from './tried.ts'

it(
  'keeps blocks of a log that is too large for every leaf, and tells a change by its block',
  { timeout: 180_000 },
  async () => {
    await using world = await startWorld({ engine: 'postgres' })
    const content = `'{"actor":{"kind":"system"},"at":"2026-11-21T12:00:00.000Z","facts":{"n":' || n ||
    '},"kind":"user.signed-in","nonce":"AAAAAAAAAAAAAAAAAAAAAA","org":"${orgId}","subject":"${orgId}","v":1}'`
    await fillLeaves(world.ctx, { content, from: 1, to: keptWhole + 300, kind: 'user.signed-in' })
    await sealNow(world.ctx, orgId)
    const { found, seen } = await findingsOf(world, new Map())
    expect(found).toEqual([])
    const log = seen.get(orgId) as SeenLog
    expect([log.leaves, log.blocks.length]).toEqual([null, Math.floor(log.size / blockSize)])
    expect(log.tail).toHaveLength(log.size % blockSize)

    const directory = mkdtempSync(join(tmpdir(), 'quorate-monitor-'))
    writeState(join(directory, 'state.json'), seen)
    expect(readState(join(directory, 'state.json'))).toEqual(seen)
    rmSync(directory, { recursive: true })

    const other = (hashes: readonly Uint8Array[], at: number) =>
      hashes.map((hash, index) => (index === at ? Buffer.alloc(32) : hash))
    const rowsOf = async (changed: Partial<SeenLog>) =>
      (await findingsOf(world, new Map([[orgId, { ...log, ...changed }]]))).found.map(({ table, row, what }) => [
        table,
        row,
        what,
      ])
    expect(await rowsOf({})).toEqual([])
    expect(await rowsOf({ blocks: other(log.blocks, 3) })).toEqual([['log_entries', '768..1023', 'edited']])
    const last = log.blocks.length * blockSize
    expect(await rowsOf({ tail: other(log.tail, 1) })).toContainEqual(['log_entries', String(last + 1), 'edited'])
    expect(await rowsOf({ size: log.size + 5 })).toContainEqual([
      'log_entries',
      `${log.size}..${log.size + 4}`,
      'truncated',
    ])
  },
)
