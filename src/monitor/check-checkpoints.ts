import type { Tx } from '../store/open.ts'
import type { AlteredEntries } from './altered-entries.ts'
import type { BelievedKeys } from './believed-keys.ts'
import { checkCheckpoint, type StoredCheckpoint } from './check-checkpoint.ts'
import { CheckpointTimes } from './checkpoint-times.ts'
import type { Disorder } from './disorder.ts'
import { guarded } from './guarded.ts'
import type { LogWalk } from './log-walk.ts'
import { peekable, readRows, type Peekable } from './read-rows.ts'
import { isSame } from './trees.ts'

/** A checkpoint whose root is not that of the tree. */
interface Differing {
  readonly size: number
  readonly expected: Uint8Array
  readonly found: Uint8Array
}

/** Checks the stored checkpoints against the tree as it grows. */
export class CheckpointCheck {
  readonly #walk: LogWalk
  readonly #altered: AlteredEntries
  readonly #rows: Peekable<StoredCheckpoint>
  readonly #keys: BelievedKeys
  readonly #times: CheckpointTimes
  /** Up to here the tree is the signed one. */
  #good = 0
  /** Checkpoints behind `#good` that the tree does not have. */
  #bad: Differing[] = []
  #last: StoredCheckpoint | null = null
  #newest = 0
  /** Sizes of those checkpoints that were there when the log was seen, or should have been. */
  readonly #sizesSeen = new Set<number>()
  readonly #missing = new Set<number>()

  constructor(tx: Tx, org: string, walk: LogWalk, altered: AlteredEntries, keys: BelievedKeys) {
    this.#walk = walk
    this.#altered = altered
    this.#keys = keys
    this.#times = new CheckpointTimes(walk.find)
    this.#rows = peekable(
      readRows<StoredCheckpoint>(
        tx,
        `select size::float8 as size, size::text as row, root, note, created_at from log_checkpoints where org_id = ${org} order by size`,
      ),
    )
  }

  /** Size of the newest checkpoint up to here. */
  get newest(): number {
    return this.#newest
  }

  /** The newest that is signed and says what its columns say; null when none is. */
  get last(): StoredCheckpoint | null {
    return this.#last
  }

  /** Whether the tree ends in one that was never signed. */
  get isBad(): boolean {
    return this.#bad.length > 0
  }

  /** Checks those up to the tree's size by now. */
  async pass(): Promise<void> {
    const { find, seen, trees, gathered } = this.#walk
    const { size } = trees
    for (;;) {
      const next = await this.#rows.peek()
      if (next === undefined || next.size > size) break
      await this.#rows.next()
      this.#newest = next.size
      if (seen !== null && next.size >= (seen.checkpoints[0] ?? Infinity) && next.size <= seen.size) {
        this.#sizesSeen.add(next.size)
      }
      gathered.addCheckpoint(next.size)
      if (next.size < size) {
        find('log_checkpoints', next.row, 'inserted')
        continue
      }
      this.#checkTime(next)
      const signed = this.#check(next)
      if (signed === null) continue
      this.#last = next
      this.#compareRoot(size, signed.root)
    }
  }

  /** @param expected entries that there should be; of the checkpoints behind fewer nothing new can be told */
  async finish(expected: number, headSize: number, disorder: Disorder): Promise<void> {
    const { find, trees } = this.#walk
    const { size } = trees
    let isTold = size < expected
    for (let rest = await this.#rows.next(); rest !== undefined; rest = await this.#rows.next()) {
      if (isTold) continue
      isTold = true
      if (this.#check(rest) === null) continue
      find('log_entries', `${size}..${rest.size - 1}`, 'truncated', { expected: `${rest.size} entries`, found: size })
    }
    this.#altered.settle('neither')
    const [bad] = this.#bad
    if (bad !== undefined) this.#tellRewritten(bad, disorder)
    if (this.#newest === size) return
    // A batch and its checkpoint are written together.
    if (this.#newest === 0) find('log_checkpoints', '', 'truncated', { expected: `that of ${size}`, found: 'none' })
    else if (headSize === size) this.#deleted(size)
    else if (headSize < size) find('log_entries', `${Math.max(this.#newest, headSize)}..${size - 1}`, 'inserted')
  }

  /** Checkpoints that were seen are still there, and no others between them. */
  compareWithSeen(): void {
    const { find, seen, trees } = this.#walk
    if (seen === null || (this.#newest === 0 && trees.size > 0)) return
    const known = new Set(seen.checkpoints)
    for (const one of known) if (one <= trees.size && !this.#sizesSeen.has(one)) this.#deleted(one)
    for (const one of this.#sizesSeen) if (!known.has(one)) find('log_checkpoints', one, 'inserted')
  }

  #check(stored: StoredCheckpoint) {
    const { find, origin } = this.#walk
    const signed = guarded(find, { table: 'log_checkpoints', key: stored.row, column: 'note' }, () =>
      checkCheckpoint(find, stored, origin, this.#keys),
    )
    return signed ?? null
  }

  #checkTime({ size, row, created_at: at }: StoredCheckpoint): void {
    if (isTime(at)) return this.#times.add({ size, at })
    this.#walk.find('log_checkpoints', row, 'edited', { column: 'created_at', expected: 'a time', found: at })
  }

  #compareRoot(size: number, expected: Uint8Array): void {
    const { find, trees } = this.#walk
    const { entries, leaves } = trees.roots()
    const right = isSame(entries, expected) ? 'entries' : isSame(leaves, expected) ? 'leaves' : null
    if (right === null) {
      this.#bad.push({ size, expected, found: entries })
      return
    }
    trees.settle(right)
    this.#altered.settle(right)
    // A later tree is the signed one, so it was these checkpoints that are not.
    for (const { size: place, ...differs } of this.#bad) {
      find('log_checkpoints', place, 'edited', { column: 'root', ...differs })
    }
    this.#bad = []
    this.#good = size
  }

  /** From the last tree that was right to the first that is not: the entries that are out of order, or all of them. */
  #tellRewritten({ size, expected, found }: Differing, disorder: Disorder): void {
    const { find, reported, trees } = this.#walk
    const isKnown = [...reported].some((index) => index >= this.#good)
    if (isKnown) return
    const moved = disorder.within(this.#good, trees.size)
    const isMoved = moved.some((index) => index < size)
    for (const index of isMoved ? moved : []) {
      reported.add(index)
      find('log_entries', index, 'reordered', { column: 'index', expected: 'the order of their leaves' })
    }
    if (!isMoved) find('log_entries', `${this.#good}..${size - 1}`, 'edited', { column: 'root', expected, found })
  }

  /** Told once, by whichever check misses it. */
  #deleted(size: number): void {
    if (this.#missing.has(size)) return
    this.#missing.add(size)
    this.#walk.find('log_checkpoints', size, 'deleted')
  }
}

/** The database knows times that no clock shows. */
function isTime(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime())
}
