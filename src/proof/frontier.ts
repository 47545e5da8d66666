import { emptyRoot, nodeHash, type Hash, type ReadNode } from './merkle.ts'

/** A complete subtree of `2 ** level` leaves, the first of which is leaf `index * 2 ** level`. */
export interface Subtree {
  readonly level: number
  readonly index: number
}

/** The complete subtrees, as large as can be, that a tree of `size` leaves is made of, from left to right. */
export function subtreesOf(size: number): Subtree[] {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`no size of a tree: ${size}`)
  const found: Subtree[] = []
  for (let level = 0, rest = size; rest > 0; level++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) found.unshift({ level, index: rest - 1 })
  }
  return found
}

/** Hashes of the subtrees that a tree of `size` leaves is made of, from left to right. */
export async function readSubtrees(read: ReadNode, size: number): Promise<Hash[]> {
  return await Promise.all(subtreesOf(size).map(async ({ level, index }) => await read(level, index)))
}

/** A tree that grows: what it takes to add leaves to it, which is one hash for each bit of its size. */
export interface Frontier {
  readonly size: number
  /** Adds a leaf and tells each subtree that is complete with it, the smallest (the leaf itself) first. */
  add(leaf: Hash, onComplete?: (subtree: Subtree, hash: Hash) => void): void
  root(): Hash
  /** Hashes of the subtrees that it is made of, from left to right. */
  subtrees(): Hash[]
}

/**
 * @param hashes of the subtrees that a tree of `size` leaves is made of, from left to right
 * @throws RangeError when they are not as many as such a tree has
 */
export function frontierAt(size: number, hashes: readonly Hash[]): Frontier {
  if (hashes.length !== subtreesOf(size).length) throw new RangeError(`not the subtrees of a tree of ${size}`)
  const stack = [...hashes]
  let count = size
  return {
    get size() {
      return count
    },
    add(leaf, onComplete) {
      let hash = leaf
      let index = count
      let level = 0
      onComplete?.({ level, index }, hash)
      for (; index % 2 === 1; level++) {
        hash = nodeHash(stack.pop() as Hash, hash)
        index = (index - 1) / 2
        onComplete?.({ level: level + 1, index }, hash)
      }
      stack.push(hash)
      count++
    },
    root() {
      return stack.length === 0 ? emptyRoot : stack.reduceRight((right, left) => nodeHash(left, right))
    },
    subtrees() {
      return [...stack]
    },
  }
}
