import { AppError } from '../errors.ts'
import { consistencyPath, inclusionPath, rootAt, type Hash } from '../proof/merkle.ts'
import { findEntryByHash, findLogSize, readEntries } from '../store/log-reads.ts'
import { headOfSize, latestHead } from './checkpoint.ts'
import type { Sealing } from './seal.ts'
import { openTree } from './tree.ts'

/** A leaf in the log. */
export interface FoundLeaf {
  readonly index: number
  readonly hash: Hash
  /** The canonical JSON that was hashed, as UTF-8. */
  readonly content: string
}

/** @throws AppError LOG_BEYOND_END */
export async function readLeaf({ db }: Sealing, orgId: string, index: number): Promise<FoundLeaf> {
  const [entry] = await readEntries(db, orgId, index, 1)
  if (entry === undefined) throw new AppError('LOG_BEYOND_END', undefined, { field: 'index' })
  return { ...entry, index }
}

export interface Inclusion {
  readonly index: number
  readonly size: number
  /** Hash of the leaf. */
  readonly leaf: Hash
  readonly path: readonly Hash[]
  readonly root: Hash
  /** The signed checkpoint of this size; null where there is none. */
  readonly checkpoint: string | null
}

/** Which leaf: by its place, or by its hash. */
export type LeafKey = { readonly index: number } | { readonly hash: Hash }

/**
 * Proves that a leaf is in the tree of `size` leaves, or in that of the newest checkpoint.
 * @throws AppError LOG_BEYOND_END, LOG_LEAF_NOT_FOUND, LOG_CHECKPOINT_NOT_FOUND
 */
export async function proveInclusion(
  ctx: Sealing,
  orgId: string,
  key: LeafKey,
  wanted: number | null,
): Promise<Inclusion> {
  const { size, checkpoint } = await treeOf(ctx, orgId, wanted, 'size')
  const index = await indexOf(ctx, orgId, key)
  if (index >= size) throw new AppError('LOG_BEYOND_END', undefined, { field: 'index' in key ? 'index' : 'leaf' })
  const tree = openTree(ctx.db, orgId)
  const [path, root] = [await inclusionPath(tree, index, size), await rootAt(tree, size)]
  return { index, size, leaf: await tree(0, index), path, root, checkpoint }
}

export interface Consistency {
  readonly from: number
  readonly to: number
  readonly fromRoot: Hash
  readonly toRoot: Hash
  readonly path: readonly Hash[]
  /** The signed checkpoint of the larger tree; null where there is none. */
  readonly checkpoint: string | null
}

/**
 * Proves that the tree of `to` leaves, or that of the newest checkpoint, begins with that of `from`.
 * @throws AppError LOG_BEYOND_END, LOG_INVALID_RANGE, LOG_CHECKPOINT_NOT_FOUND
 */
export async function proveConsistency(
  ctx: Sealing,
  orgId: string,
  from: number,
  wanted: number | null,
): Promise<Consistency> {
  const { size: to, checkpoint } = await treeOf(ctx, orgId, wanted, 'to')
  if (from > to)
    throw new AppError(wanted === null ? 'LOG_BEYOND_END' : 'LOG_INVALID_RANGE', undefined, { field: 'from' })
  const tree = openTree(ctx.db, orgId)
  const path = await consistencyPath(tree, from, to)
  return { from, to, fromRoot: await rootAt(tree, from), toRoot: await rootAt(tree, to), path, checkpoint }
}

/** The tree that a proof is about, with its checkpoint. */
async function treeOf(ctx: Sealing, orgId: string, wanted: number | null, field: string) {
  if (wanted === null) {
    const { size, note } = await latestHead(ctx, orgId)
    return { size, checkpoint: note }
  }
  if (wanted > (await findLogSize(ctx.db, orgId))) throw new AppError('LOG_BEYOND_END', undefined, { field })
  return { size: wanted, checkpoint: (await headOfSize(ctx, orgId, wanted))?.note ?? null }
}

async function indexOf({ db }: Sealing, orgId: string, key: LeafKey): Promise<number> {
  if ('index' in key) return key.index
  const index = await findEntryByHash(db, orgId, key.hash)
  if (index === undefined) throw new AppError('LOG_LEAF_NOT_FOUND', undefined, { field: 'leaf' })
  return index
}
