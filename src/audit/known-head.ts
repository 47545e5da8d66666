import { consistencyPath, verifyConsistency } from '../proof/merkle.ts'
import type { Tx } from '../store/open.ts'
import type { KnownHead } from '../store/sealing-memory.ts'
import { ForeignHead } from './own-head.ts'
import { MissingNode, openTree } from './tree.ts'

/**
 * Tables that are set back to an older state say of themselves nothing wrong: the head in them was signed. Only whoever knows a later one
 * can tell.
 * @param known what this process has signed or gone on from last; undefined before it has
 * @param head that the log has signed, whose lock is held
 * @throws ForeignHead when the log of `head` does not begin with the one that is known
 */
export async function requireKnownHead(
  tx: Tx,
  orgId: string,
  known: KnownHead | undefined,
  head: KnownHead,
): Promise<void> {
  if (known === undefined) return
  if (head.size < known.size) {
    throw new ForeignHead(`The log has ${head.size} leaves, and this process knows of ${known.size}: it was set back.`)
  }
  if (!(await isContinued(tx, orgId, known, head))) {
    throw new ForeignHead(`Its first ${known.size} leaves are not those that this process knows.`)
  }
}

/** Other processes seal beside this one: then it takes a proof of their tree, in no more than a few reads. */
async function isContinued(tx: Tx, orgId: string, known: KnownHead, head: KnownHead): Promise<boolean> {
  if (head.size === known.size) return Buffer.compare(head.root, known.root) === 0
  const [from, to] = [known.size, head.size]
  const path = await pathBetween(tx, orgId, from, to)
  return path !== null && verifyConsistency({ from, to, fromRoot: known.root, toRoot: head.root, path })
}

async function pathBetween(tx: Tx, orgId: string, from: number, to: number) {
  try {
    return await consistencyPath(openTree(tx, orgId), from, to)
  } catch (error) {
    if (error instanceof MissingNode) return null
    throw error
  }
}
