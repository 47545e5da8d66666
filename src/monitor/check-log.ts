import { leafHash, type Hash } from '../proof/merkle.ts'
import { isKeyName } from '../proof/note.ts'
import type { Tx } from '../store/open.ts'
import { AlteredEntries } from './altered-entries.ts'
import { BelievedKeys } from './believed-keys.ts'
import { checkCosignatures } from './check-cosignatures.ts'
import { CheckpointCheck } from './check-checkpoints.ts'
import { LeafCheck } from './check-leaves.ts'
import { waitingKeys } from './check-key-rows.ts'
import { checkNodes } from './check-nodes.ts'
import { Disorder } from './disorder.ts'
import type { Erasures } from './erasures.ts'
import { finderFor, type Report } from './finding.ts'
import { hasLeaves, readEntries, readUnsealed, type EntryRow } from './log-entries.ts'
import { originOf, readHead, type Head } from './log-head.ts'
import type { KeyRow } from './key-rows.ts'
import type { IsOwnLeaf } from './leaf-marks.ts'
import { keysFor, seenKey, type TrustedKeys } from './log-keys.ts'
import type { LogWalk } from './log-walk.ts'
import { Orphans, type Orphan } from './orphans.ts'
import { literal } from './read-rows.ts'
import type { Told } from './replay.ts'
import { Gathered, seenBlock, seenLeaf, blockSize, type SeenLog } from './seen-log.ts'
import { isSame, Trees } from './trees.ts'

export interface LogChecked {
  /** What to remember; null when no checkpoint was signed yet. */
  readonly seen: SeenLog | null
  readonly size: number
  readonly unsealed: number
  /** Texts that leaves commit to and that were erased lawfully. */
  readonly erased: number
  /** No leaf is left of those that there were: the tables have nothing to be compared with. */
  readonly isTruncated: boolean
  /** The key is believed only because it is the first that was seen. */
  readonly isFirstUse: boolean
}

interface Options {
  /** The store's log keys. */
  readonly keyRows: readonly KeyRow[]
  /** Null where it cannot be told. */
  readonly isOwnLeaf: IsOwnLeaf | null
  readonly now: Date
  readonly orgId: string
  readonly seen: SeenLog | null
  readonly pinned: readonly string[]
  readonly told: Told
  readonly erasures: Erasures
  readonly report: Report
}

/**
 * Goes through the log of one organization from its first entry on: every leaf against its entry, the entries against every
 * signed checkpoint and against what was seen before. What the leaves tell is replayed on the way.
 * @throws AppError CONFIGURATION_INVALID when there is no key to check the checkpoints with
 */
export async function checkLog(tx: Tx, options: Options): Promise<LogChecked> {
  const { orgId, seen, pinned, keyRows } = options
  const head = await readHead(tx, orgId)
  const keysOf = (name: string) => keysFor(keyRows, name, pinned, []).trusted.map(({ key }) => key)
  const origin = seen?.origin ?? (await originOf(tx, orgId, head, keysOf))
  // Nobody signs under what is no name.
  const isNamed = isKeyName(origin)
  if (!isNamed && head.isStored) {
    finderFor(orgId, options.report)('log_heads', orgId, 'edited', {
      column: 'origin',
      expected: 'a name',
      found: origin,
    })
  }
  const keys = isNamed ? keysFor(keyRows, origin, pinned, seen?.keys ?? []) : noKeys
  const check = new LogCheck(tx, options, origin, keys)
  await check.run(tx, head)
  return { ...check.result(), isFirstUse: keys.isFirstUse }
}

const noKeys: TrustedKeys = { trusted: [], offered: [], isFirstUse: false, isComplete: false }

class LogCheck {
  readonly #options: Options
  readonly #walk: LogWalk
  readonly #disorder = new Disorder()
  readonly #keys: BelievedKeys
  readonly #altered: AlteredEntries
  readonly #checkpoints: CheckpointCheck
  readonly #leaves: LeafCheck
  /** No leaf is left of those that there were. */
  #isTruncated = false
  #largestLeaf = 0
  #unsealed = 0

  constructor(tx: Tx, options: Options, origin: string, { trusted, offered, isComplete }: TrustedKeys) {
    const { orgId, seen, told, erasures, now, report } = options
    const find = finderFor(orgId, report)
    const trees = new Trees((block, entries, leaves) => this.#checkBlock(block, entries, leaves))
    this.#options = options
    this.#walk = { find, origin, seen, trees, gathered: new Gathered(), reported: new Set() }
    this.#keys = new BelievedKeys(trusted, offered, { isComplete, seenSize: seen?.size ?? 0, now })
    this.#altered = new AlteredEntries(this.#walk)
    this.#checkpoints = new CheckpointCheck(tx, literal(orgId), this.#walk, this.#altered, this.#keys)
    this.#leaves = new LeafCheck(find, told, erasures)
  }

  async run(tx: Tx, head: Head): Promise<void> {
    const { orgId, seen, isOwnLeaf } = this.#options
    const { find, trees, reported } = this.#walk
    const org = literal(orgId)
    this.#isTruncated = !(await hasLeaves(tx, orgId)) && (head.size > 0 || seen !== null)
    if (this.#isTruncated) {
      const expected = `${Math.max(head.size, seen?.size ?? 0)} leaves`
      find('audit_leaves', '', 'truncated', { expected, found: 'none' })
    }
    const orphans = await Orphans.read(tx, org, head)
    await this.#checkpoints.pass()
    for await (const entry of readEntries(tx, org)) {
      const isBehindEnd = entry.index > trees.size && trees.size >= head.size
      if (entry.index < trees.size || isBehindEnd) {
        find('log_entries', entry.row, 'inserted')
        continue
      }
      await this.#fillGap(entry, orphans)
      this.#take(entry, orphans)
      await this.#checkpoints.pass()
    }
    this.#finishEntries(head, orphans)
    await this.#checkpoints.finish(this.#expectedSize(head), head.size, this.#disorder)
    await checkNodes(tx, org, find, trees, reported)
    this.#checkHead(head)
    this.#checkpoints.compareWithSeen()
    await checkCosignatures(tx, org, find)
    for await (const row of readUnsealed(tx, org, head.settled)) {
      // It will never be sealed, and tells nothing.
      if (row.is_ahead || isOwnLeaf?.(row) === false) {
        find('audit_leaves', row.id, 'inserted', { expected: 'a leaf that the server wrote', found: row.kind })
        continue
      }
      this.#unsealed += 1
      this.#leaves.checkRow(row.id, row)
      this.#leaves.take(row)
    }
  }

  result(): Omit<LogChecked, 'isFirstUse'> {
    const { trees, gathered, origin } = this.#walk
    const { last } = this.#checkpoints
    const { keyRows, seen } = this.#options
    const { size } = trees
    const counts = { size, unsealed: this.#unsealed, erased: this.#leaves.erased, isTruncated: this.#isTruncated }
    if (last === null) return { ...counts, seen: null }
    const keys = this.#keys.known().map((key) => seenKey(key, keyRows, seen?.keys ?? []))
    const waiting = waitingKeys(keyRows, { keys, size }, seen)
    const head = { origin, keys, waiting, size, root: trees.roots().entries, note: last.note }
    return { ...counts, seen: gathered.seen(head) }
  }

  #take(entry: EntryRow, orphans: Orphans): void {
    const { index, leaf_id: leafId } = entry
    const { find, seen, reported } = this.#walk
    const own = entry.id === null ? orphans.takeOf(entry.hash) : undefined
    if (own !== undefined) return this.#takeOwn(entry, own)
    const id = Number(leafId)
    this.#disorder.add(index, id, index === this.#checkpoints.newest)
    this.#largestLeaf = Math.max(this.#largestLeaf, id)
    const known = seenLeaf(seen, index)
    if (entry.id === null) {
      if (!this.#isTruncated) find('audit_leaves', leafId, 'deleted', { expected: `the leaf of entry ${index}` })
      reported.add(index)
      const hash = known ?? wholeHash(entry.hash)
      this.#add(hash, hash)
      return
    }
    const leaf = leafHash(Buffer.from(entry.content))
    this.#altered.add({ index, leafId, entry: entry.hash, leaf }, known)
    this.#add(known ?? wholeHash(entry.hash), known ?? leaf)
    const isRight = this.#leaves.checkRow(leafId, entry)
    // What a receipt is gathered by.
    const { entry_subject: found, subject_id: expected } = entry
    if (isRight && found !== expected) {
      find('log_entries', index, 'edited', { column: 'subject_id', expected, found })
    }
    this.#leaves.take({ id: leafId, content: entry.content, private: entry.private })
  }

  /** The entry names no leaf, and one that no entry names is what it is of: no hash vouches for the id of either. */
  #takeOwn({ index, leaf_id: found, hash }: EntryRow, own: Orphan): void {
    const { find, seen } = this.#walk
    find('log_entries', index, 'edited', { column: 'leaf_id', expected: own.id, found })
    find('audit_leaves', own.id, 'edited', { column: 'id', expected: found, found: own.id })
    this.#disorder.add(index, Number(own.id), index === this.#checkpoints.newest)
    this.#largestLeaf = Math.max(this.#largestLeaf, Number(own.id))
    const known = seenLeaf(seen, index)
    this.#altered.add({ index, leafId: own.id, entry: hash, leaf: own.hash }, known)
    this.#add(known ?? hash, known ?? own.hash)
    this.#leaves.take(own)
  }

  #add(entry: Hash, leaf: Hash): void {
    this.#walk.gathered.addLeaf(entry)
    this.#walk.trees.add(entry, leaf)
  }

  /** Entries that are missing before this one: what they were is looked for among the leaves that no entry names. */
  async #fillGap(next: EntryRow, orphans: Orphans): Promise<void> {
    const { find, seen, trees, reported } = this.#walk
    const missing = next.index - trees.size
    if (missing > mostMissing) find('log_entries', `${trees.size}..${next.index - 1}`, 'deleted')
    while (trees.size < next.index) {
      const index = trees.size
      const orphan = orphans.takeBetween(this.#largestLeaf, Number(next.leaf_id))
      if (missing <= mostMissing) find('log_entries', index, 'deleted', { expected: orphan && `leaf ${orphan.id}` })
      reported.add(index)
      const hash = seenLeaf(seen, index) ?? orphan?.hash ?? noHash
      this.#add(hash, hash)
      if (orphan !== undefined) {
        this.#largestLeaf = Number(orphan.id)
        this.#leaves.take(orphan)
      }
      await this.#checkpoints.pass()
      if (missing > mostMissing) break
    }
  }

  /** Of a log that is too large for every leaf's hash to be kept. */
  #checkBlock(block: number, entries: Hash, leaves: Hash): void {
    const { find, seen, gathered, reported } = this.#walk
    gathered.addBlock(entries)
    const known = seenBlock(seen, block)
    if (known === undefined || isSame(entries, known) || isSame(leaves, known)) return
    const [first, last] = [block * blockSize, (block + 1) * blockSize - 1]
    find('log_entries', `${first}..${last}`, 'edited', { expected: known, found: entries })
    for (let index = first; index <= last; index++) reported.add(index)
  }

  #finishEntries(head: Head, orphans: Orphans): void {
    const { find, trees } = this.#walk
    const { size } = trees
    const expected = this.#expectedSize(head)
    if (size < expected) {
      find('log_entries', `${size}..${expected - 1}`, 'truncated', { expected: `${expected} entries`, found: size })
    }
    // Those behind a tail that is gone are not sealed any more, and not inserted.
    if (size >= expected) for (const { id } of orphans.rest()) find('audit_leaves', id, 'inserted')
    else for (const orphan of orphans.rest()) this.#leaves.take(orphan)
  }

  /** A head that is of the very tree that the entries make has another's number. */
  #expectedSize(head: Head): number {
    const isOfTree = isSame(Buffer.concat(this.#walk.trees.subtrees()), head.frontier)
    return Math.max(isOfTree ? 0 : head.size, this.#options.seen?.size ?? 0)
  }

  #checkHead(head: Head): void {
    const { find, seen, trees, origin } = this.#walk
    const { size } = trees
    const { orgId } = this.#options
    if (!head.isStored) {
      if (size > 0 || seen !== null) find('log_heads', orgId, 'deleted')
      return
    }
    const differs = (column: string, expected: unknown, found: unknown) =>
      find('log_heads', orgId, 'edited', { column, expected, found })
    if (head.origin !== origin) differs('origin', origin, head.origin)
    const frontier = Buffer.concat(trees.subtrees())
    const isOfTree = isSame(frontier, head.frontier)
    if (head.size !== size && (isOfTree || this.#checkpoints.newest === size)) differs('size', size, head.size)
    // Of a tree that is not the signed one the entries were told.
    if (head.size === size && !isOfTree && !this.#checkpoints.isBad) differs('frontier', frontier, head.frontier)
    if (Number(head.settled) > this.#largestLeaf)
      differs('settled_leaf_id', `${this.#largestLeaf} at most`, head.settled)
  }
}

/** So many missing entries are named one by one. */
const mostMissing = 1_000
const noHash: Hash = Buffer.alloc(32)

/** What is no hash at all is taken for one that nothing has. */
function wholeHash(hash: Hash): Hash {
  return hash.length === noHash.length ? hash : noHash
}
