import { hashBytes, type Hash } from '../proof/merkle.ts'

/**
 * What the monitor keeps of a log that it found in order. Of a log of up to `keptWhole` leaves every leaf's hash: then each
 * later change is told by its index. Of a larger one the hashes of its complete blocks of 256 leaves, and of the leaves behind
 * the last of them: then a later change is told by its block.
 */
export interface SeenLog {
  readonly origin: string
  /** Those that speak for the log. */
  readonly keys: readonly SeenKey[]
  /** Names of rows of the store's log keys that have not signed this log yet, with its size when they were first seen. */
  readonly waiting: readonly { readonly row: string; readonly size: number }[]
  readonly size: number
  readonly root: Hash
  /** The last checkpoint, with its signatures. */
  readonly note: string
  /** Hashes of the leaves from 0 on; null of a log that is too large. */
  readonly leaves: readonly Hash[] | null
  /** Hashes of the complete blocks, where `leaves` is null. */
  readonly blocks: readonly Hash[]
  /** Hashes of the leaves behind the last complete block, where `leaves` is null. */
  readonly tail: readonly Hash[]
  /** Sizes of the last checkpoints, ascending, `keptCheckpoints` at most. */
  readonly checkpoints: readonly number[]
}

export interface SeenKey {
  /** C2SP signed-note. */
  readonly verifierKey: string
  /** Size of the first checkpoint that was seen with its signature; null before there is one. */
  readonly since: number | null
  /** RFC 3339, by the monitor's clock: from then on it vouches for no new checkpoint alone. Null while it is the newest. */
  readonly until: string | null
  /** Its row in server_secrets, where it was seen; null when it could not be read. */
  readonly row: string | null
}

export const keptWhole = 65_536
export const blockSize = 256
export const keptCheckpoints = 4_096

/** The hash that the leaf at an index had; undefined when it is not kept. */
export function seenLeaf(seen: SeenLog | null, index: number): Hash | undefined {
  if (seen === null || index >= seen.size) return undefined
  return seen.leaves === null ? seen.tail[index - seen.blocks.length * blockSize] : seen.leaves[index]
}

/** The hash that a complete block had, where its leaves are not kept. */
export function seenBlock(seen: SeenLog | null, block: number): Hash | undefined {
  return seen?.leaves === null ? seen.blocks[block] : undefined
}

/** Gathers what is to be kept of a log while its leaves go by. */
export class Gathered {
  #leaves: Hash[] | null = []
  readonly #blocks: Hash[] = []
  #tail: Hash[] = []
  readonly #checkpoints: number[] = []

  addLeaf(hash: Hash): void {
    this.#tail.push(hash)
    if (this.#leaves === null) return
    if (this.#leaves.length < keptWhole) this.#leaves.push(hash)
    else this.#leaves = null
  }

  addBlock(hash: Hash): void {
    this.#blocks.push(hash)
    this.#tail = []
  }

  addCheckpoint(size: number): void {
    this.#checkpoints.push(size)
    if (this.#checkpoints.length > 2 * keptCheckpoints) this.#checkpoints.splice(0, keptCheckpoints)
  }

  seen(head: Pick<SeenLog, 'origin' | 'keys' | 'waiting' | 'size' | 'root' | 'note'>): SeenLog {
    const isWhole = this.#leaves !== null
    return {
      ...head,
      leaves: this.#leaves,
      blocks: isWhole ? [] : this.#blocks,
      tail: isWhole ? [] : this.#tail,
      checkpoints: this.#checkpoints.slice(-keptCheckpoints),
    }
  }
}

/** Hashes in a row as one text, and back. @throws Error when it is no number of hashes */
export function packed(hashes: readonly Hash[]): string {
  return Buffer.concat(hashes).toString('base64')
}

export function unpacked(text: string): Hash[] {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length % hashBytes !== 0) throw new Error('not a number of hashes')
  return Array.from({ length: bytes.length / hashBytes }, (_, place) =>
    bytes.subarray(place * hashBytes, (place + 1) * hashBytes),
  )
}
