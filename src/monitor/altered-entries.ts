import type { Hash } from '../proof/merkle.ts'
import type { LogWalk } from './log-walk.ts'
import { blockSize } from './seen-log.ts'
import { isSame } from './trees.ts'

/** An entry with its hash and that of its leaf. */
export interface Entry {
  readonly index: number
  readonly leafId: string
  readonly entry: Hash
  readonly leaf: Hash
}

/** Tells of entries that are not what they were whether the leaf, the entry or their place was altered. */
export class AlteredEntries {
  readonly #walk: LogWalk
  /** Of which it is not known yet whether the leaf or the entry was altered. */
  #mismatches: Entry[] = []
  /** Seen hashes, to tell a leaf that was moved from one that was altered; made when it is needed. */
  #places: Map<string, number> | null = null

  constructor(walk: LogWalk) {
    this.#walk = walk
  }

  /** @param known the hash that was seen at this index, which is right */
  add(one: Entry, known: Hash | undefined): void {
    if (known !== undefined) this.#compareWithSeen(one, known)
    else if (!isSame(one.entry, one.leaf)) this.#mismatches.push(one)
  }

  #compareWithSeen({ index, leafId, entry, leaf }: Entry, known: Hash): void {
    const { find, reported } = this.#walk
    const [isEntry, isLeaf] = [isSame(entry, known), isSame(leaf, known)]
    if (isEntry && isLeaf) return
    reported.add(index)
    const moved = this.#seenAt(entry)
    if (!isEntry && !isLeaf && moved !== undefined && moved !== index) {
      find('log_entries', index, 'reordered', { column: 'index', expected: known, found: `entry ${moved}` })
      return
    }
    if (!isEntry) find('log_entries', index, 'edited', { column: 'hash', expected: known, found: entry })
    if (isLeaf) return
    const other = this.#seenAt(leaf)
    if (other === undefined) find('audit_leaves', leafId, 'edited', { column: 'content', expected: known, found: leaf })
    else find('audit_leaves', leafId, 'reordered', { expected: `entry ${index}`, found: `entry ${other}` })
  }

  #seenAt(hash: Hash): number | undefined {
    const { seen } = this.#walk
    const start = seen?.leaves === null ? seen.blocks.length * blockSize : 0
    this.#places ??= new Map((seen?.leaves ?? seen?.tail ?? []).map((one, place) => [hex(one), start + place]))
    return this.#places.get(hex(hash))
  }

  /** Says of each entry that is not its leaf's which of the two was altered, now that a signed root tells which is right. */
  settle(right: 'entries' | 'leaves' | 'neither'): void {
    const { find, reported } = this.#walk
    for (const { index, leafId, entry, leaf } of this.#mismatches) {
      const swapped = this.#mismatches.find((other) => other.index !== index && isSame(other.entry, leaf))
      reported.add(index)
      if (swapped !== undefined && right !== 'leaves') {
        find('audit_leaves', leafId, 'reordered', { found: `the leaf of entry ${swapped.index}` })
        continue
      }
      if (right !== 'leaves')
        find('audit_leaves', leafId, 'edited', { column: 'content', expected: entry, found: leaf })
      if (right !== 'entries') find('log_entries', index, 'edited', { column: 'hash', expected: leaf, found: entry })
    }
    this.#mismatches = []
  }
}

function hex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex')
}
