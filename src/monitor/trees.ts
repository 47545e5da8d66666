import { frontierAt, type Frontier } from '../proof/frontier.ts'
import type { Hash } from '../proof/merkle.ts'

/** Levels of the tree that one level of kept nodes spans. */
const tileHeight = 8

/**
 * The tree twice: of what the entries say, and of what the leaves hash to. While both say the same it is one tree; where they
 * part, a signed root tells which of the two was altered.
 */
export class Trees {
  #entries: Frontier = frontierAt(0, [])
  /** Null while it is the same. */
  #leaves: Frontier | null = null
  readonly #nodes: [entries: Hash, leaves: Hash][][] = []
  readonly #onBlock: (block: number, entries: Hash, leaves: Hash) => void

  /** @param onBlock is told each complete block of 256 leaves */
  constructor(onBlock: (block: number, entries: Hash, leaves: Hash) => void) {
    this.#onBlock = onBlock
  }

  get size(): number {
    return this.#entries.size
  }

  add(entry: Hash, leaf: Hash): void {
    if (this.#leaves === null && !isSame(entry, leaf)) this.#leaves = frontierAt(this.size, this.#entries.subtrees())
    const complete: { level: number; index: number; hash: Hash }[] = []
    this.#entries.add(entry, ({ level, index }, hash) => {
      if (level > 0 && level % tileHeight === 0) complete.push({ level: level / tileHeight, index, hash })
    })
    const others = new Map<number, Hash>()
    this.#leaves?.add(leaf, ({ level }, hash) => others.set(level / tileHeight, hash))
    for (const { level, index, hash } of complete) {
      const other = others.get(level) ?? hash
      const nodes = (this.#nodes[level] ??= [])
      nodes[index] = [hash, other]
      if (level === 1) this.#onBlock(index, hash, other)
    }
  }

  roots(): { readonly entries: Hash; readonly leaves: Hash } {
    const entries = this.#entries.root()
    return { entries, leaves: this.#leaves?.root() ?? entries }
  }

  subtrees(): Hash[] {
    return this.#entries.subtrees()
  }

  /** From here on the tree is the one that was found to be right. */
  settle(right: 'entries' | 'leaves'): void {
    if (right === 'leaves' && this.#leaves !== null) this.#entries = this.#leaves
    this.#leaves = null
  }

  /** What may stand for a kept node: level 1 is blocks of 256 leaves, level 2 of 256 of these. */
  nodeAt(level: number, index: number): readonly [entries: Hash, leaves: Hash] | undefined {
    return this.#nodes[level]?.[index]
  }

  /** Every kept node that the tree has. */
  *places(): Generator<{ level: number; index: number }> {
    for (const [level, nodes] of this.#nodes.entries()) {
      for (const index of (nodes ?? []).keys()) yield { level, index }
    }
  }
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
