import { rootOf, splitHashes, type Hash, type ReadNode } from '../proof/merkle.ts'
import { readEntryHashes, readNodeHashes } from '../store/log-reads.ts'
import type { Db } from '../store/open.ts'

/** Levels of the tree that a tile spans, and hashes in its lowest row (C2SP tlog-tiles). */
export const tileHeight = 8
export const tileWidth = 2 ** tileHeight

/** Hashes in the lowest row of a tile, as far as the log reaches; none when it does not reach the tile. */
export async function readTile(db: Db, orgId: string, level: number, index: number): Promise<Hash[]> {
  const start = index * tileWidth
  const bytes =
    level === 0
      ? await readEntryHashes(db, orgId, start, tileWidth)
      : await readNodeHashes(db, orgId, level, start, tileWidth)
  return splitHashes(bytes)
}

/** The tables lack a hash that a tree of the size asked for has. */
export class MissingNode extends Error {
  override readonly name = 'MissingNode'
}

/** Gives the hashes of an organization's tree to the proofs of `proof/`. A tile is read once however often it is needed. */
export function openTree(db: Db, orgId: string): ReadNode {
  const tiles = new Map<string, Promise<Hash[]>>()
  const tileAt = (level: number, index: number) => {
    const place = `${level}/${index}`
    const tile = tiles.get(place) ?? readTile(db, orgId, level, index)
    tiles.set(place, tile)
    return tile
  }
  return async (level, index) => {
    const width = 2 ** (level % tileHeight)
    const start = index * width
    const tile = await tileAt(Math.floor(level / tileHeight), Math.floor(start / tileWidth))
    const hashes = tile.slice(start % tileWidth, (start % tileWidth) + width)
    if (hashes.length < width) throw new MissingNode(`the log has no node ${index} of level ${level}`)
    return rootOf(hashes)
  }
}
