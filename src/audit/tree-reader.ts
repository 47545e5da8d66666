import { rootOf, type ReadNode } from '../proof/merkle.ts'
import { readEntryHashes, readNodeHashes } from '../store/log-reads.ts'
import type { Db } from '../store/open.ts'

/** Tree levels between those that are kept (C2SP tlog-tiles). */
const tileHeight = 8

/** Nodes of an organization's tree, from the levels that are kept. @throws Error when leaves or nodes are missing */
export function treeReader(db: Db, orgId: string): ReadNode {
  return async (level, index) => {
    const [keptLevel, width] = [Math.floor(level / tileHeight), 2 ** (level % tileHeight)]
    const start = index * width
    const hashes =
      keptLevel === 0
        ? await readEntryHashes(db, orgId, start, width)
        : await readNodeHashes(db, orgId, keptLevel, start, width)
    if (hashes.length !== width)
      throw new Error(`the log of ${orgId} lacks nodes of level ${keptLevel} from ${start} on`)
    return rootOf(hashes)
  }
}
