import { AppError } from '../errors.ts'
import { readEntries } from '../store/log-reads.ts'
import type { Sealing } from './seal.ts'
import { readTile, tileWidth } from './tree.ts'

/** A part of the tree, or of its leaves (C2SP tlog-tiles). */
export interface Tile {
  /** Of the tree: 0 for hashes of leaves; `entries` for the leaves themselves. */
  readonly level: number | 'entries'
  readonly index: number
  /** Hashes or leaves in it: 256, or fewer in a partial tile. */
  readonly width: number
}

/** The hashes of a tile. @throws AppError LOG_BEYOND_END */
export async function hashTile({ db }: Sealing, orgId: string, level: number, tile: Tile): Promise<Buffer> {
  if (!isWithinReach(tile.index)) throw beyond()
  const hashes = await readTile(db, orgId, level, tile.index)
  if (hashes.length < tile.width) throw beyond()
  return Buffer.concat(hashes.slice(0, tile.width))
}

/** The leaves under a tile of level 0, each after its length. @throws AppError LOG_BEYOND_END, LOG_BUNDLE_NOT_OFFERED */
export async function entryBundle({ db }: Sealing, orgId: string, { index, width }: Tile): Promise<Buffer> {
  if (!isWithinReach(index)) throw beyond()
  const entries = await readEntries(db, orgId, index * tileWidth, width)
  if (entries.length < width) throw beyond()
  return Buffer.concat(entries.flatMap(({ content }) => prefixed(Buffer.from(content))))
}

const longest = 0xffff

function prefixed(content: Buffer): Buffer[] {
  if (content.length > longest) throw new AppError('LOG_BUNDLE_NOT_OFFERED')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(content.length)
  return [length, content]
}

/** Further on no number of a leaf is exact. */
function isWithinReach(index: number): boolean {
  return Number.isSafeInteger((index + 1) * tileWidth)
}

function beyond(): AppError {
  return new AppError('LOG_BEYOND_END')
}
