import { tileHeight, tileWidth } from '../audit/tree.ts'
import { hashBytes, inclusionPath, nodeHash, splitHashes, type Hash } from '../proof/merkle.ts'
import type { Db } from '../store/open.ts'
import { readTiles } from '../store/receipts.ts'

/** Tiles that one query reads at most: 2 MB. */
const tilesOfQuery = 256

/** Inclusion paths of many entries at once in the tree of `size` entries, each tile of hashes read once. */
export async function readPaths(
  db: Db,
  orgId: string,
  indexes: readonly number[],
  size: number,
): Promise<ReadonlyMap<number, readonly Hash[]>> {
  // What will be asked for does not depend on the answers.
  const wanted = new Map<string, TilePlace>()
  const anything = new Uint8Array(hashBytes)
  await pathsBy(indexes, size, (level, index) => {
    const place = placeOf(level, index)
    wanted.set(keyOf(place), place)
    return anything
  })
  const tiles = await loadTiles(db, orgId, [...wanted.values()])
  return await pathsBy(indexes, size, (level, index) => {
    const tile = tiles.get(keyOf(placeOf(level, index)))
    const rows = tile?.[level % tileHeight]
    const hash = rows?.[index % (tileWidth / 2 ** (level % tileHeight))]
    if (hash === undefined) throw new Error(`the log has no node ${index} of level ${level}`)
    return hash
  })
}

interface TilePlace {
  /** Of the tile: its hashes are of subtrees of `256 ** level` entries. */
  readonly level: number
  readonly tile: number
}

function placeOf(level: number, index: number): TilePlace {
  const width = 2 ** (level % tileHeight)
  return { level: Math.floor(level / tileHeight), tile: Math.floor((index * width) / tileWidth) }
}

function keyOf({ level, tile }: TilePlace): string {
  return `${level}/${tile}`
}

async function pathsBy(
  indexes: readonly number[],
  size: number,
  read: (level: number, index: number) => Hash,
): Promise<Map<number, Hash[]>> {
  const paths = new Map<number, Hash[]>()
  for (const index of indexes) paths.set(index, await inclusionPath(read, index, size))
  return paths
}

/** Every level within a tile, from the bottom up. */
type Pyramid = readonly (readonly Hash[])[]

async function loadTiles(db: Db, orgId: string, places: readonly TilePlace[]): Promise<Map<string, Pyramid>> {
  const tiles = new Map<string, Pyramid>()
  for (const [level, all] of Map.groupBy(places, (place) => place.level)) {
    for (let start = 0; start < all.length; start += tilesOfQuery) {
      const numbers = all.slice(start, start + tilesOfQuery).map(({ tile }) => tile)
      for (const { tile, hashes } of await readTiles(db, orgId, level, numbers)) {
        tiles.set(keyOf({ level, tile: Number(tile) }), pyramidOf(hashes))
      }
    }
  }
  return tiles
}

function pyramidOf(bytes: Uint8Array): Pyramid {
  let row = splitHashes(bytes)
  const rows = [row]
  // Only subtrees that are complete.
  for (let level = 1; level < tileHeight; level++) {
    row = Array.from({ length: Math.floor(row.length / 2) }, (_, place) =>
      nodeHash(row[2 * place] as Hash, row[2 * place + 1] as Hash),
    )
    rows.push(row)
  }
  return rows
}
