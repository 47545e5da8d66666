import { hash } from 'node:crypto'

/** A node of the tree: 32 bytes of SHA-256. */
export type Hash = Uint8Array

/** Gives the hash of the complete subtree of `2 ** level` leaves that begins at leaf `index * 2 ** level`. */
export type ReadNode = (level: number, index: number) => Hash | Promise<Hash>

export const hashBytes = 32

/** The hashes that stand one after the other in these bytes. @throws RangeError where the last is cut */
export function splitHashes(bytes: Uint8Array): Hash[] {
  if (bytes.length % hashBytes !== 0) throw new RangeError(`no hashes: ${bytes.length} bytes`)
  return Array.from({ length: bytes.length / hashBytes }, (_, place) =>
    bytes.subarray(place * hashBytes, (place + 1) * hashBytes),
  )
}

/** Hash of a leaf's bytes. The prefix keeps a leaf from being taken for a node (RFC 6962 section 2.1). */
export function leafHash(content: Uint8Array): Hash {
  return hash('sha256', Buffer.concat([leafPrefix, content]), 'buffer')
}

export function nodeHash(left: Hash, right: Hash): Hash {
  return hash('sha256', Buffer.concat([nodePrefix, left, right]), 'buffer')
}

/** Root of the tree without leaves: SHA-256 of nothing. */
export const emptyRoot: Hash = hash('sha256', '', 'buffer')

/** Root of the tree whose leaves have these hashes. */
export function rootOf(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return emptyRoot
  let hashes = leaves
  // Level by level; the last one without a neighbour rises as it is, which comes to the same as RFC 6962's recursion.
  while (hashes.length > 1) {
    const above: Hash[] = []
    for (let i = 0; i < hashes.length; i += 2) above.push(joined(hashes[i] as Hash, hashes[i + 1]))
    hashes = above
  }
  return hashes[0] as Hash
}

/**
 * Root of the first `size` leaves, from hashes of complete subtrees.
 * @throws RangeError unless `size` is a safe integer of 0 or more; whatever `read` throws
 */
export async function rootAt(read: ReadNode, size: number): Promise<Hash> {
  requireSize(size)
  return size === 0 ? emptyRoot : await hashOf(read, { start: 0, end: size })
}

/**
 * The proof that a leaf is in the tree: siblings from the leaf up (RFC 6962 section 2.1.1).
 * @param index of the leaf, from 0
 * @param size of the tree, in leaves
 * @throws RangeError unless 0 ≤ index < size, in safe integers; whatever `read` throws
 */
export async function inclusionPath(read: ReadNode, index: number, size: number): Promise<Hash[]> {
  requireSize(size)
  if (!isSize(index) || index >= size) throw new RangeError(`no leaf ${index} in a tree of ${size}`)
  const siblings: Range[] = []
  let within: Range = { start: 0, end: size }
  while (within.end - within.start > 1) {
    const [left, right] = halvesOf(within)
    const isLeft = index < left.end
    siblings.push(isLeft ? right : left)
    within = isLeft ? left : right
  }
  return await hashesOf(read, siblings.toReversed())
}

/**
 * The proof that the tree of `to` leaves begins with the tree of `from` leaves (RFC 6962 section 2.1.2). Empty where the two
 * are one, and from the empty tree.
 * @throws RangeError unless 0 ≤ from ≤ to, in safe integers; whatever `read` throws
 */
export async function consistencyPath(read: ReadNode, from: number, to: number): Promise<Hash[]> {
  requireSize(to)
  if (!isSize(from) || from > to) throw new RangeError(`no tree of ${from} leaves within one of ${to}`)
  if (from === 0 || from === to) return []
  const nodes: Range[] = []
  let within: Range = { start: 0, end: to }
  while (within.end !== from) {
    const [left, right] = halvesOf(within)
    const isLeft = from <= left.end
    nodes.push(isLeft ? right : left)
    within = isLeft ? left : right
  }
  // The old tree is a node of the new one: who verifies knows its root.
  if (within.start !== 0) nodes.push(within)
  return await hashesOf(read, nodes.toReversed())
}

export interface Inclusion {
  readonly index: number
  readonly size: number
  /** Hash of the leaf. */
  readonly leaf: Hash
  readonly path: readonly Hash[]
  readonly root: Hash
}

/** RFC 9162 section 2.1.3.2. Never throws: what is no proof proves nothing. */
export function verifyInclusion({ index, size, leaf, path, root }: Inclusion): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || ![leaf, root, ...path].every(isHash)) return false
  let node = index
  let last = size - 1
  let hash = leaf
  for (const sibling of path) {
    if (last === 0) return false
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash)
      // A node without a neighbour has risen to where it has one.
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && isSame(hash, root)
}

export interface Consistency {
  readonly from: number
  readonly to: number
  readonly fromRoot: Hash
  readonly toRoot: Hash
  readonly path: readonly Hash[]
}

/**
 * RFC 9162 section 2.1.4.2. The empty tree is the beginning of every tree; the proof of that is empty. Never throws: what is
 * no proof proves nothing.
 */
export function verifyConsistency({ from, to, fromRoot, toRoot, path }: Consistency): boolean {
  if (!isSize(from) || !isSize(to) || from > to || ![fromRoot, toRoot, ...path].every(isHash)) return false
  if (from === to && (path.length > 0 || !isSame(fromRoot, toRoot))) return false
  if (from === 0) return path.length === 0 && isSame(fromRoot, emptyRoot)
  if (from === to) return true
  let node = from - 1
  let last = to - 1
  while (isOdd(node)) [node, last] = [half(node), half(last)]
  // A tree of a power of two is a node of the larger one: the path leaves out what is known.
  const [seed, ...rest] = node === 0 ? [fromRoot, ...path] : path
  if (seed === undefined) return false
  let [oldHash, newHash] = [seed, seed]
  for (const sibling of rest) {
    if (last === 0) return false
    if (isOdd(node) || node === last) {
      oldHash = nodeHash(sibling, oldHash)
      newHash = nodeHash(sibling, newHash)
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)]
    } else {
      newHash = nodeHash(newHash, sibling)
    }
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && isSame(oldHash, fromRoot) && isSame(newHash, toRoot)
}

const leafPrefix = Buffer.of(0)
const nodePrefix = Buffer.of(1)

/** Leaves `start` to `end - 1`. Every range in use begins at a multiple of the power of two that is its width or more. */
interface Range {
  readonly start: number
  readonly end: number
}

/** The left one is as large a power of two as leaves something for the right one (RFC 6962 section 2.1). */
function halvesOf({ start, end }: Range): readonly [Range, Range] {
  let width = 1
  while (width * 2 < end - start) width *= 2
  return [
    { start, end: start + width },
    { start: start + width, end },
  ]
}

async function hashesOf(read: ReadNode, ranges: readonly Range[]): Promise<Hash[]> {
  return await Promise.all(ranges.map((range) => hashOf(read, range)))
}

async function hashOf(read: ReadNode, range: Range): Promise<Hash> {
  const width = range.end - range.start
  const level = levelOf(width)
  if (level !== null) return await read(level, range.start / width)
  const [left, right] = await hashesOf(read, halvesOf(range))
  return nodeHash(left as Hash, right as Hash)
}

/** Null unless `width` is a power of two. */
function levelOf(width: number): number | null {
  const level = Math.round(Math.log2(width))
  return 2 ** level === width ? level : null
}

function joined(left: Hash, right: Hash | undefined): Hash {
  return right === undefined ? left : nodeHash(left, right)
}

function requireSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`no size of a tree: ${size}`)
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isHash(value: unknown): value is Hash {
  return value instanceof Uint8Array && value.length === hashBytes
}

function isSame(a: Hash, b: Hash): boolean {
  return Buffer.compare(a, b) === 0
}

// Not by bits, of which JavaScript's operators know 32.
function isOdd(value: number): boolean {
  return value % 2 === 1
}

function half(value: number): number {
  return Math.floor(value / 2)
}
