import type { Config } from '../config/config.ts'
import { leafHash, type Hash } from '../proof/merkle.ts'
import { isKeyName, type VerifierKey } from '../proof/note.ts'
import type { Tx } from '../store/open.ts'
import { checkCheckpoint, signedIn, type StoredCheckpoint } from './check-checkpoint.ts'
import { checkNodes } from './check-nodes.ts'
import { Disorder } from './disorder.ts'
import { finderFor, type Finder, type Report } from './finding.ts'
import { keysFor, keyText, type TrustedKeys } from './log-keys.ts'
import { literal, peekable, readRows, type Peekable } from './read-rows.ts'
import { replay, type Told } from './replay.ts'
import { Gathered, seenBlock, seenLeaf, blockSize, type SeenLog } from './seen-log.ts'
import { checkColumns, checkTexts, readLeaf, type StoredLeaf } from './told-leaf.ts'
import { isSame, Trees } from './trees.ts'

export interface LogChecked {
  /** What to remember; null when no checkpoint was signed yet. */
  readonly seen: SeenLog | null
  readonly size: number
  readonly unsealed: number
  /** Texts that leaves commit to and that are no more. */
  readonly erased: number
  /** No leaf is left of those that there were: the tables have nothing to be compared with. */
  readonly isTruncated: boolean
  /** The key is believed only because it is the first that was seen. */
  readonly isFirstUse: boolean
}

interface Options {
  readonly config: Pick<Config, 'masterKeys'>
  readonly orgId: string
  readonly seen: SeenLog | null
  readonly pinned: readonly string[]
  readonly told: Told
  readonly report: Report
}

/**
 * Goes through the log of one organization from its first entry on: every leaf against its entry, the entries against every
 * signed checkpoint and against what was seen before. What the leaves tell is replayed on the way.
 * @throws AppError CONFIGURATION_INVALID when there is no key to check the checkpoints with
 */
export async function checkLog(tx: Tx, options: Options): Promise<LogChecked> {
  const { orgId, seen, pinned, config } = options
  const head = await readHead(tx, orgId)
  const origin = seen?.origin ?? (await originOf(tx, orgId, head, (name) => keysFor(tx, config, name, pinned, [])))
  const keys =
    origin === ''
      ? { trusted: [], offered: [], isFirstUse: false }
      : await keysFor(tx, config, origin, pinned, seen?.keys ?? [])
  const check = new LogCheck(options, origin, [...keys.trusted], keys.offered)
  await check.run(tx, head)
  return { ...check.result(), isFirstUse: keys.isFirstUse }
}

/** What the log is called: by its newest checkpoint, when that is signed, or else by its head. */
async function originOf(
  tx: Tx,
  orgId: string,
  head: Head,
  keysOf: (origin: string) => Promise<TrustedKeys>,
): Promise<string> {
  const newest = await tx
    .selectFrom('log_checkpoints')
    .select('note')
    .where('org_id', '=', orgId)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
  const [named = ''] = newest?.note.split('\n') ?? []
  if (newest === undefined || named === head.origin || !isKeyName(named)) return head.origin
  const { trusted } = await keysOf(named)
  return signedIn(newest.note, trusted) === null ? head.origin : named
}

interface Head {
  readonly origin: string
  readonly size: number
  readonly settled: string
  readonly frontier: Uint8Array
  readonly isStored: boolean
}

async function readHead(tx: Tx, orgId: string): Promise<Head> {
  const row = await tx.selectFrom('log_heads').selectAll().where('org_id', '=', orgId).executeTakeFirst()
  const { origin = '', size = '0', settled_leaf_id: settled = '0', frontier = new Uint8Array() } = row ?? {}
  return { origin, size: Number(size), settled, frontier, isStored: row !== undefined }
}

interface EntryRow extends Omit<StoredLeaf, 'id' | 'content'> {
  readonly index: number
  readonly leaf_id: string
  readonly hash: Uint8Array
  readonly entry_subject: string
  readonly id: string | null
  readonly content: string
  readonly org_id: string
  readonly kind: string
  readonly subject_id: string
  readonly created_at: Date
}

/** An entry whose hash is not that of its leaf. */
interface Mismatch {
  readonly index: number
  readonly leafId: string
  readonly entry: Hash
  readonly leaf: Hash
}

class LogCheck {
  readonly #options: Options
  readonly #find: Finder
  readonly #origin: string
  readonly #keys: VerifierKey[]
  readonly #offered: readonly VerifierKey[]
  readonly #trees: Trees
  readonly #gathered = new Gathered()
  readonly #disorder = new Disorder()
  /** Of which it is not known yet whether the leaf or the entry was altered. */
  #mismatches: Mismatch[] = []
  /** Indexes of which something was said already. */
  readonly #reported = new Set<number>()
  /** Up to here the tree is the signed one. */
  #good = 0
  /** Checkpoints behind `#good` that the tree does not have. */
  #bad: { readonly size: number; readonly expected: Uint8Array; readonly found: Uint8Array }[] = []
  #last: StoredCheckpoint | null = null
  /** No leaf is left of those that there were. */
  #isTruncated = false
  #largestLeaf = 0
  #unsealed = 0
  #erased = 0
  /** Size of the newest checkpoint up to here. */
  #newest = 0
  /** Sizes of those checkpoints that were there when the log was seen, or should have been. */
  readonly #sizesSeen = new Set<number>()
  readonly #missingCheckpoints = new Set<number>()
  /** Seen hashes, to tell a leaf that was moved from one that was altered; made when it is needed. */
  #places: Map<string, number> | null = null

  constructor(options: Options, origin: string, keys: VerifierKey[], offered: readonly VerifierKey[]) {
    this.#options = options
    this.#find = finderFor(options.orgId, options.report)
    this.#origin = origin
    this.#keys = keys
    this.#offered = offered
    this.#trees = new Trees((block, entries, leaves) => this.#checkBlock(block, entries, leaves))
  }

  async run(tx: Tx, head: Head): Promise<void> {
    const { orgId, seen } = this.#options
    const org = literal(orgId)
    const hasAny = await hasLeaves(tx, orgId)
    this.#isTruncated = !hasAny && (head.size > 0 || seen !== null)
    if (this.#isTruncated) {
      this.#find('audit_leaves', '', 'truncated', {
        expected: `${Math.max(head.size, seen?.size ?? 0)} leaves`,
        found: 'none',
      })
    }
    const orphans = await Orphans.read(tx, org, head)
    const checkpoints = peekable(
      readRows<StoredCheckpoint>(
        tx,
        `select size::float8 as size, root, note from log_checkpoints where org_id = ${org} order by size`,
      ),
    )
    await this.#passCheckpoints(checkpoints)
    for await (const entry of readRows<EntryRow>(tx, entriesQuery(org))) {
      const isBehindEnd = entry.index > this.#trees.size && this.#trees.size >= head.size
      if (entry.index < this.#trees.size || isBehindEnd) {
        this.#find('log_entries', entry.index, 'inserted')
        continue
      }
      await this.#fillGap(entry, orphans, checkpoints)
      this.#take(entry)
      await this.#passCheckpoints(checkpoints)
    }
    await this.#finishEntries(head, orphans)
    await this.#finishCheckpoints(checkpoints, head)
    await checkNodes(tx, org, this.#find, this.#trees, this.#reported)
    this.#checkHead(head)
    if (seen !== null) this.#checkSeenCheckpoints(seen)
    await this.#takeUnsealed(tx, org, head)
  }

  result(): Omit<LogChecked, 'isFirstUse'> {
    const { size } = this.#trees
    const counts = { size, unsealed: this.#unsealed, erased: this.#erased, isTruncated: this.#isTruncated }
    if (this.#last === null) return { ...counts, seen: null }
    const { note } = this.#last
    const head = { origin: this.#origin, keys: this.#keys.map(keyText), size, root: this.#trees.roots().entries, note }
    return { ...counts, seen: this.#gathered.seen(head) }
  }

  #take(entry: EntryRow): void {
    const { index, leaf_id: leafId } = entry
    const id = Number(leafId)
    this.#disorder.add(index, id, index === this.#newest)
    this.#largestLeaf = Math.max(this.#largestLeaf, id)
    const known = seenLeaf(this.#options.seen, index)
    if (entry.id === null) {
      if (!this.#isTruncated) this.#find('audit_leaves', leafId, 'deleted', { expected: `the leaf of entry ${index}` })
      this.#reported.add(index)
      this.#add(index, known ?? entry.hash, known ?? entry.hash)
      return
    }
    const leaf = leafHash(Buffer.from(entry.content))
    if (known !== undefined) this.#compareWithSeen({ index, leafId, entry: entry.hash, leaf }, known)
    else if (!isSame(entry.hash, leaf)) this.#mismatches.push({ index, leafId, entry: entry.hash, leaf })
    this.#add(index, known ?? wholeHash(entry.hash), known ?? leaf)
    const wrong = checkColumns(entry.content, entry)
    for (const { column, ...differs } of wrong) {
      this.#find('audit_leaves', leafId, 'edited', { column, ...differs })
    }
    // What a receipt is gathered by.
    const { entry_subject: found, subject_id: expected } = entry
    if (wrong.length === 0 && found !== expected) {
      this.#find('log_entries', index, 'edited', { column: 'subject_id', expected, found })
    }
    this.#takeLeaf({ id: leafId, content: entry.content, private: entry.private })
  }

  #add(_index: number, entry: Hash, leaf: Hash): void {
    this.#gathered.addLeaf(entry)
    this.#trees.add(entry, leaf)
  }

  /** Where the leaf's hash was seen, that one is right. */
  #compareWithSeen({ index, leafId, entry, leaf }: Mismatch, known: Hash): void {
    const [isEntry, isLeaf] = [isSame(entry, known), isSame(leaf, known)]
    if (isEntry && isLeaf) return
    this.#reported.add(index)
    const moved = this.#seenAt(entry)
    if (!isEntry && !isLeaf && moved !== undefined && moved !== index) {
      this.#find('log_entries', index, 'reordered', { column: 'index', expected: known, found: `entry ${moved}` })
      return
    }
    if (!isEntry) this.#find('log_entries', index, 'edited', { column: 'hash', expected: known, found: entry })
    if (isLeaf) return
    const other = this.#seenAt(leaf)
    if (other === undefined)
      this.#find('audit_leaves', leafId, 'edited', { column: 'content', expected: known, found: leaf })
    else this.#find('audit_leaves', leafId, 'reordered', { expected: `entry ${index}`, found: `entry ${other}` })
  }

  #seenAt(hash: Hash): number | undefined {
    const { seen } = this.#options
    const start = seen?.leaves === null ? seen.blocks.length * blockSize : 0
    this.#places ??= new Map((seen?.leaves ?? seen?.tail ?? []).map((one, place) => [hex(one), start + place]))
    return this.#places.get(hex(hash))
  }

  #takeLeaf(stored: StoredLeaf): void {
    const { wrong, erased } = checkTexts(stored)
    for (const name of wrong) this.#find('audit_leaves', stored.id, 'edited', { column: `private.${name}` })
    this.#erased += erased
    const leaf = readLeaf(stored)
    if (leaf === null) return
    try {
      replay(this.#options.told, leaf)
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      this.#find('audit_leaves', stored.id, 'edited', { column: 'facts', expected: `those of ${leaf.kind}` })
    }
  }

  /** Entries that are missing before this one: what they were is looked for among the leaves that no entry names. */
  async #fillGap(next: EntryRow, orphans: Orphans, checkpoints: Peekable<StoredCheckpoint>): Promise<void> {
    const missing = next.index - this.#trees.size
    if (missing > mostMissing) {
      const last = next.index - 1
      this.#find('log_entries', `${this.#trees.size}..${last}`, 'deleted')
    }
    while (this.#trees.size < next.index) {
      const index = this.#trees.size
      const orphan = orphans.takeBetween(this.#largestLeaf, Number(next.leaf_id))
      if (missing <= mostMissing)
        this.#find('log_entries', index, 'deleted', { expected: orphan && `leaf ${orphan.id}` })
      this.#reported.add(index)
      const hash = seenLeaf(this.#options.seen, index) ?? orphan?.hash ?? noHash
      this.#add(index, hash, hash)
      if (orphan !== undefined) {
        this.#largestLeaf = Number(orphan.id)
        this.#takeLeaf(orphan)
      }
      await this.#passCheckpoints(checkpoints)
      if (missing > mostMissing) break
    }
  }

  async #passCheckpoints(checkpoints: Peekable<StoredCheckpoint>): Promise<void> {
    const { seen } = this.#options
    const { size } = this.#trees
    for (;;) {
      const next = await checkpoints.peek()
      if (next === undefined || next.size > size) break
      await checkpoints.next()
      this.#newest = next.size
      if (seen !== null && next.size >= (seen.checkpoints[0] ?? Infinity) && next.size <= seen.size) {
        this.#sizesSeen.add(next.size)
      }
      this.#gathered.addCheckpoint(next.size)
      if (next.size < size) {
        this.#find('log_checkpoints', next.size, 'inserted')
        continue
      }
      const signed = checkCheckpoint(this.#find, next, this.#origin, this.#keys, this.#offered)
      if (signed === null) continue
      this.#last = next
      this.#compareRoot(size, signed.root)
    }
  }

  #compareRoot(size: number, expected: Uint8Array): void {
    const { entries, leaves } = this.#trees.roots()
    const right = isSame(entries, expected) ? 'entries' : isSame(leaves, expected) ? 'leaves' : null
    if (right === null) {
      this.#bad.push({ size, expected, found: entries })
      return
    }
    this.#trees.settle(right)
    this.#settle(right)
    // A later tree is the signed one, so it was these checkpoints that are not.
    for (const { size: place, ...differs } of this.#bad) {
      this.#find('log_checkpoints', place, 'edited', { column: 'root', ...differs })
    }
    this.#bad = []
    this.#good = size
  }

  /** Says of each entry that is not its leaf's which of the two was altered. */
  #settle(right: 'entries' | 'leaves' | 'neither'): void {
    for (const { index, leafId, entry, leaf } of this.#mismatches) {
      const swapped = this.#mismatches.find((other) => other.index !== index && isSame(other.entry, leaf))
      this.#reported.add(index)
      if (swapped !== undefined && right !== 'leaves') {
        this.#find('audit_leaves', leafId, 'reordered', { found: `the leaf of entry ${swapped.index}` })
        continue
      }
      if (right !== 'leaves')
        this.#find('audit_leaves', leafId, 'edited', { column: 'content', expected: entry, found: leaf })
      if (right !== 'entries')
        this.#find('log_entries', index, 'edited', { column: 'hash', expected: leaf, found: entry })
    }
    this.#mismatches = []
  }

  /** Of a log that is too large for every leaf's hash to be kept. */
  #checkBlock(block: number, entries: Hash, leaves: Hash): void {
    this.#gathered.addBlock(entries)
    const known = seenBlock(this.#options.seen, block)
    if (known === undefined || isSame(entries, known) || isSame(leaves, known)) return
    const [first, last] = [block * blockSize, (block + 1) * blockSize - 1]
    this.#find('log_entries', `${first}..${last}`, 'edited', { expected: known, found: entries })
    for (let index = first; index <= last; index++) this.#reported.add(index)
  }

  async #finishEntries(head: Head, orphans: Orphans): Promise<void> {
    const { size } = this.#trees
    const expected = this.#expectedSize(head)
    if (size < expected) {
      this.#find('log_entries', `${size}..${expected - 1}`, 'truncated', {
        expected: `${expected} entries`,
        found: size,
      })
    }
    // Those behind a tail that is gone are not sealed any more, and not inserted.
    if (size >= expected) for (const { id } of orphans.rest()) this.#find('audit_leaves', id, 'inserted')
    else for (const orphan of orphans.rest()) this.#takeLeaf(orphan)
  }

  /** A head that is of the very tree that the entries make has another's number. */
  #expectedSize(head: Head): number {
    const isOfTree = isSame(Buffer.concat(this.#trees.subtrees()), head.frontier)
    return Math.max(isOfTree ? 0 : head.size, this.#options.seen?.size ?? 0)
  }

  async #finishCheckpoints(checkpoints: Peekable<StoredCheckpoint>, head: Head): Promise<void> {
    const { size } = this.#trees
    let isTold = size < this.#expectedSize(head)
    for (let rest = await checkpoints.next(); rest !== undefined; rest = await checkpoints.next()) {
      if (isTold) continue
      isTold = true
      const signed = checkCheckpoint(this.#find, rest, this.#origin, this.#keys, this.#offered)
      if (signed === null) continue
      this.#find('log_entries', `${size}..${rest.size - 1}`, 'truncated', {
        expected: `${rest.size} entries`,
        found: size,
      })
    }
    this.#settle('neither')
    const [bad] = this.#bad
    if (bad !== undefined) this.#tellRewritten(bad)
    if (this.#newest === size) return
    // A batch and its checkpoint are written together.
    if (this.#newest === 0)
      this.#find('log_checkpoints', '', 'truncated', { expected: `that of ${size}`, found: 'none' })
    else if (head.size === size) this.#deletedCheckpoint(size)
    else if (head.size < size) {
      this.#find('log_entries', `${Math.max(this.#newest, head.size)}..${size - 1}`, 'inserted')
    }
  }

  /** From the last tree that was right to the first that is not: the entries that are out of order, or all of them. */
  #tellRewritten({ size, expected, found }: { size: number; expected: Uint8Array; found: Uint8Array }): void {
    const isKnown = [...this.#reported].some((index) => index >= this.#good)
    if (isKnown) return
    const moved = this.#disorder.within(this.#good, this.#trees.size)
    const isMoved = moved.some((index) => index < size)
    for (const index of isMoved ? moved : []) {
      this.#reported.add(index)
      this.#find('log_entries', index, 'reordered', { column: 'index', expected: 'the order of their leaves' })
    }
    if (!isMoved) this.#find('log_entries', `${this.#good}..${size - 1}`, 'edited', { column: 'root', expected, found })
  }

  #checkHead(head: Head): void {
    const { size } = this.#trees
    const org = this.#options.orgId
    if (!head.isStored) {
      if (size > 0 || this.#options.seen !== null) this.#find('log_heads', org, 'deleted')
      return
    }
    const differs = (column: string, expected: unknown, found: unknown) =>
      this.#find('log_heads', org, 'edited', { column, expected, found })
    if (head.origin !== this.#origin) differs('origin', this.#origin, head.origin)
    const frontier = Buffer.concat(this.#trees.subtrees())
    const isOfTree = isSame(frontier, head.frontier)
    if (head.size !== size && (isOfTree || this.#newest === size)) differs('size', size, head.size)
    // Of a tree that is not the signed one the entries were told.
    if (head.size === size && !isOfTree && this.#bad.length === 0) differs('frontier', frontier, head.frontier)
    if (Number(head.settled) > this.#largestLeaf)
      differs('settled_leaf_id', `${this.#largestLeaf} at most`, head.settled)
  }

  /** Checkpoints that were seen are still there, and no others between them. */
  #checkSeenCheckpoints(seen: SeenLog): void {
    const known = new Set(seen.checkpoints)
    const { size } = this.#trees
    if (this.#newest === 0 && size > 0) return
    for (const one of known) if (one <= size && !this.#sizesSeen.has(one)) this.#deletedCheckpoint(one)
    for (const one of this.#sizesSeen) if (!known.has(one)) this.#find('log_checkpoints', one, 'inserted')
  }

  #deletedCheckpoint(size: number): void {
    // Told once, by whichever check misses it.
    if (this.#missingCheckpoints.has(size)) return
    this.#missingCheckpoints.add(size)
    this.#find('log_checkpoints', size, 'deleted')
  }

  /** Leaves that are newer than the newest entry. */
  async #takeUnsealed(tx: Tx, org: string, head: Head): Promise<void> {
    const query = `select l.* from audit_leaves l where l.org_id = ${org} and l.id > ${literal(head.settled)}::bigint
      and not exists (select from log_entries e where e.org_id = l.org_id and e.leaf_id = l.id) order by l.id`
    for await (const row of readRows<Omit<EntryRow, 'id'> & { id: string }>(tx, query)) {
      this.#unsealed += 1
      for (const { column, ...differs } of checkColumns(row.content, row)) {
        this.#find('audit_leaves', row.id, 'edited', { column, ...differs })
      }
      this.#takeLeaf({ id: row.id, content: row.content, private: row.private })
    }
  }
}

async function hasLeaves(tx: Tx, orgId: string): Promise<boolean> {
  const first = await tx.selectFrom('audit_leaves').select('id').where('org_id', '=', orgId).limit(1).executeTakeFirst()
  return first !== undefined
}

function entriesQuery(org: string): string {
  return `select e.index::float8 as index, e.leaf_id, e.hash, e.subject_id as entry_subject,
      l.id, l.org_id, l.kind, l.subject_id, l.content, l.private, l.created_at
    from log_entries e left join audit_leaves l on l.org_id = e.org_id and l.id = e.leaf_id
    where e.org_id = ${org} order by e.index`
}

/** So many missing entries are named one by one. */
const mostMissing = 1_000
const noHash: Hash = Buffer.alloc(32)

/** What is no hash at all is taken for one that nothing has. */
function wholeHash(hash: Hash): Hash {
  return hash.length === noHash.length ? hash : noHash
}

function hex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex')
}

interface Orphan {
  readonly id: string
  readonly hash: Hash
  readonly content: string
  readonly private: StoredLeaf['private']
}

/** Leaves that no entry names although every leaf up to their ids is sealed. */
class Orphans {
  readonly #leaves: Orphan[]

  private constructor(leaves: Orphan[]) {
    this.#leaves = leaves
  }

  static async read(tx: Tx, org: string, head: Head): Promise<Orphans> {
    const found: Orphan[] = []
    const query = `select l.id, l.content, l.private from audit_leaves l
      where l.org_id = ${org} and l.id <= ${literal(head.settled)}::bigint
        and not exists (select from log_entries e where e.org_id = l.org_id and e.leaf_id = l.id)
      order by l.id limit ${mostOrphans}`
    for await (const row of readRows<Omit<Orphan, 'hash'>>(tx, query)) {
      found.push({ ...row, hash: leafHash(Buffer.from(row.content)) })
    }
    return new Orphans(found)
  }

  /** The first of those between two ids. */
  takeBetween(after: number, before: number): Orphan | undefined {
    const place = this.#leaves.findIndex(({ id }) => Number(id) > after && Number(id) < before)
    return place === -1 ? undefined : this.#leaves.splice(place, 1)[0]
  }

  rest(): readonly Orphan[] {
    return this.#leaves
  }
}

const mostOrphans = 10_000
