import { AppError } from '../errors.ts'
import { readSubtrees } from '../proof/frontier.ts'
import { consistencyPath, type Hash } from '../proof/merkle.ts'
import { readEntries } from '../store/log-reads.ts'
import type { Db } from '../store/open.ts'
import { latestHead } from './checkpoint.ts'
import type { Sealing } from './seal.ts'
import { openTree } from './tree.ts'

/** Leaves that are held in memory at once. */
const pageSize = 256

/**
 * Leaves from index `from` on, at most `limit`, as lines of JSON; the first and the last hold what it takes to verify the
 * bytes alone (docs/log.md). Read while they are sent: what is sealed meanwhile is not among them.
 * @throws AppError LOG_BEYOND_END, LOG_CHECKPOINT_NOT_FOUND, before the first line
 */
export async function exportLog(
  ctx: Sealing,
  orgId: string,
  from: number,
  limit: number,
): Promise<AsyncIterable<string>> {
  const { size, note } = await latestHead(ctx, orgId)
  if (from > size) throw new AppError('LOG_BEYOND_END', undefined, { field: 'from' })
  const to = Math.min(from + limit, size)
  const tree = openTree(ctx.db, orgId)
  const start = { type: 'start', from, to, size, checkpoint: note, subtrees: encoded(await readSubtrees(tree, from)) }
  const end = { type: 'end', next: to, consistency: encoded(await consistencyPath(tree, to, size)) }
  return linesOf(ctx.db, orgId, start, end)
}

async function* linesOf(
  db: Db,
  orgId: string,
  start: { readonly from: number; readonly to: number },
  end: object,
): AsyncIterable<string> {
  yield lineOf(start)
  for (let index = start.from; index < start.to; index += pageSize) {
    const count = Math.min(pageSize, start.to - index)
    const entries = await readEntries(db, orgId, index, count)
    // Whoever reads sees that the last line is missing.
    if (entries.length < count) throw new Error(`the log has no entry ${index + entries.length}`)
    yield entries
      .map((entry) => lineOf({ type: 'leaf', ...entry, index: Number(entry.index), hash: base64(entry.hash) }))
      .join('')
  }
  yield lineOf(end)
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`
}

function encoded(hashes: readonly Hash[]): string[] {
  return hashes.map(base64)
}

function base64(hash: Hash): string {
  return Buffer.from(hash).toString('base64')
}
