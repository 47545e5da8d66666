import type { Tx } from '../store/open.ts'
import type { Finder } from './finding.ts'
import { readRows } from './read-rows.ts'
import { keyOf } from './told-table.ts'
import { isSame, type Trees } from './trees.ts'

/**
 * Compares the kept nodes of the tree with those that its entries make.
 * @param altered entries that were altered: nodes above them cannot be the ones they were
 */
export async function checkNodes(
  tx: Tx,
  org: string,
  find: Finder,
  trees: Trees,
  altered: ReadonlySet<number>,
): Promise<void> {
  const isAbove = (level: number, index: number) => {
    const width = 256 ** level
    return [...altered].some((entry) => Math.floor(entry / width) === index)
  }
  const missing = new Set([...trees.places()].map(({ level, index }) => keyOf(String(level), String(index))))
  const rows = readRows<{ level: number; index: number; row: string; hash: Uint8Array }>(
    tx,
    `select level, index::float8 as index, index::text as row, hash from log_nodes where org_id = ${org} order by level, index`,
  )
  for await (const { level, index, row, hash } of rows) {
    const key = keyOf(String(level), row)
    const expected = trees.nodeAt(level, index)
    missing.delete(key)
    if (expected === undefined) find('log_nodes', key, 'inserted')
    else if (!expected.some((right) => isSame(right, hash)) && !isAbove(level, index)) {
      find('log_nodes', key, 'edited', { column: 'hash', expected: expected[0], found: hash })
    }
  }
  for (const key of missing) find('log_nodes', key, 'deleted')
}
