import { parseVerifierKey } from '../proof/note.ts'
import type { Finder } from './finding.ts'
import type { KeyRow } from './key-rows.ts'
import type { SeenKey, SeenLog } from './seen-log.ts'

/** What one log tells of the store's keys. */
export interface LogOfKeys {
  /** As it was seen before; null on the first run. */
  readonly before: SeenLog | null
  /** As it is found now; null when there is nothing to remember. */
  readonly now: SeenLog | null
}

/** Compares the store's log keys with what earlier runs saw of them: one that is gone, is another, or never came to sign. */
export function checkKeyRows(find: Finder, rows: readonly KeyRow[], logs: readonly LogOfKeys[]): void {
  const before = logs.flatMap((log) => log.before?.keys ?? [])
  // On the first run there is nothing to compare with.
  if (before.length === 0) return
  const known = [...before, ...logs.flatMap((log) => log.now?.keys ?? [])]
  const expected = new Map(before.flatMap((key) => (key.row === null ? [] : [[key.row, key] as const])))
  for (const [name, key] of expected) checkKnown(find, rows, name, key)
  const newest = Math.max(0, ...rows.filter(({ name }) => expected.has(name)).map(({ number }) => number))
  for (const row of rows) {
    if (expected.has(row.name) || row.publicKey === null || known.some((key) => isOf(key, row))) continue
    const isLate = row.number < newest || logs.some((log) => hasNotSigned(log, row))
    if (isLate) find('server_secrets', row.name, 'inserted')
  }
}

function checkKnown(find: Finder, rows: readonly KeyRow[], name: string, key: SeenKey): void {
  const row = rows.find((one) => one.name === name)
  if (row === undefined) return find('server_secrets', name, 'deleted')
  // Without the master key none can be opened; where another can, this one was altered.
  if (row.publicKey === null && rows.every((one) => one.publicKey === null)) return
  if (!isOf(key, row)) {
    find('server_secrets', name, 'edited', { column: 'value', expected: key.verifierKey, found: 'another key' })
  }
}

/** A new key signs the next checkpoint; the one after that at the latest, if it came while one was written. */
function hasNotSigned({ before, now }: LogOfKeys, { name }: KeyRow): boolean {
  const waits = before?.waiting.find((one) => one.row === name)
  return waits !== undefined && (now?.checkpoints ?? []).filter((size) => size > waits.size).length > 1
}

/** Keys of the store that have not signed this log yet, with its size when they were first seen. */
export function waitingKeys(
  rows: readonly KeyRow[],
  now: Pick<SeenLog, 'keys' | 'size'>,
  before: SeenLog | null,
): SeenLog['waiting'] {
  return rows
    .filter((row) => row.publicKey !== null && !now.keys.some((key) => isOf(key, row)))
    .map(({ name }) => before?.waiting.find(({ row }) => row === name) ?? { row: name, size: now.size })
}

function isOf({ verifierKey }: SeenKey, { publicKey }: KeyRow): boolean {
  return publicKey !== null && Buffer.compare(parseVerifierKey(verifierKey).publicKey, publicKey) === 0
}
