import type { Hash } from './merkle.ts'

/** What proves to whoever has a leaf, the log's key and nothing else that the log holds it. */
export interface TlogProof {
  readonly index: number
  /** From the leaf's sibling up. */
  readonly path: readonly Hash[]
  /** The signed checkpoint that the path leads to. */
  readonly checkpoint: string
}

/** The text of a proof (C2SP tlog-proof), without extra data. */
export function renderTlogProof({ index, path, checkpoint }: TlogProof): string {
  const hashes = path.map((hash) => Buffer.from(hash).toString('base64'))
  return `${['c2sp.org/tlog-proof@v1', `index ${index}`, ...hashes].join('\n')}\n\n${checkpoint}`
}
