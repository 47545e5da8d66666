import type { Ctx } from '../context.ts'
import { renderCheckpoint } from '../proof/checkpoint.ts'
import type { Frontier } from '../proof/frontier.ts'
import { splitHashes, type Hash } from '../proof/merkle.ts'
import { signNote, type NoteSigner } from '../proof/note.ts'
import {
  findNewestLeaf,
  insertCheckpoint,
  insertHead,
  insertNodes,
  lockHead,
  sealLeaves,
  updateHead,
  type LogHead,
  type SealedLeaves,
} from '../store/log.ts'
import type { Tx } from '../store/open.ts'
import type { NewRow } from '../store/schema.ts'
import { rememberHead, type KnownHead } from '../store/sealing-memory.ts'
import { ForeignLeaves, refusedLeaves, refuseLeaves, requireOwnLeaves, type Refusing } from './foreign-leaves.ts'
import { requireKnownHead } from './known-head.ts'
import { readLogKeys, signersOf } from './log-key.ts'
import { openOwnHead } from './own-head.ts'

/** What it takes to read a log. */
export type Sealing = Pick<Ctx, 'db' | 'config' | 'clock'>
/** And to continue it. */
export type Sealer = Sealing & Refusing

/** Leaves that one transaction seals at most. */
export const batchLimit = 5_000

/** What one transaction sealed. */
export interface Batch {
  readonly sealed: number
  /** There may be more to seal right away. */
  readonly isFull: boolean
}

/**
 * Seals the organization's leaves that nobody has sealed yet, at most `batchLimit`: gives them their indexes, extends the tree
 * and signs its head, in one transaction. Only leaves that the server itself wrote, and only behind a head that it signed and that
 * begins with what this process knows of the log.
 *
 * Indexes follow the order of commits: a batch is what one snapshot can see, in the order of ids, and what commits later
 * than that snapshot comes later whatever its id. Of two changes one of which was committed before the other began, or waited
 * for its lock, the other has the larger id.
 * @param waits for another process that seals the same log, instead of leaving it to that one
 * @returns null when it was left to another
 * @throws ForeignHead when the tables do not hold what the server has signed
 */
export async function sealBatch(ctx: Sealer, orgId: string, waits = false): Promise<Batch | null> {
  for (;;) {
    try {
      const done = await ctx.db.transaction().execute((tx) => sealOwn(ctx, tx, orgId, waits))
      if (done === null) return null
      rememberHead(ctx.store.sealingMemory, orgId, done.head)
      return done.batch
    } catch (error) {
      if (!(error instanceof ForeignLeaves)) throw error
      // Each time there are some fewer.
      refuseLeaves(ctx, orgId, error.ids)
    }
  }
}

interface Done {
  readonly batch: Batch
  /** The log as it is signed when this is committed. */
  readonly head: KnownHead
}

async function sealOwn(ctx: Sealer, tx: Tx, orgId: string, waits: boolean): Promise<Done | null> {
  // Before this transaction has its number: see `settle`.
  const newest = await findNewestLeaf(tx, orgId)
  const head = await holdHead(ctx, tx, orgId, waits)
  if (head === undefined) return null
  const keys = await readLogKeys({ ...ctx, db: tx })
  const { tree, signers: before } = await openOwnHead(tx, orgId, head, keys)
  await requireKnownHead(tx, orgId, ctx.store.sealingMemory.known.get(orgId), headOf(tree))
  // Another transaction may have sealed the last of it while this one waited: what it wrote is seen by the next statement.
  const sealed = await sealLeaves(tx, orgId, head, batchLimit, refusedLeaves(ctx, orgId, head.settled_leaf_id))
  requireOwnLeaves(ctx, sealed)
  const hashes = splitHashes(sealed.hashes)
  const isFull = hashes.length === batchLimit
  const settled = settle(head, newest, sealed, isFull)
  if (hashes.length === 0) {
    if (hasChanged(head, settled)) await updateHead(tx, orgId, { ...settled, size: tree.size, frontier: head.frontier })
    return { batch: { sealed: 0, isFull }, head: headOf(tree) }
  }
  await insertNodes(tx, orgId, grow(tree, orgId, hashes))
  const signers = signersOf(keys, head.origin, ctx.clock.now(), before)
  await signHead(ctx, tx, orgId, signers, head.origin, tree)
  await updateHead(tx, orgId, { ...settled, size: tree.size, frontier: Buffer.concat(tree.subtrees()) })
  return { batch: { sealed: hashes.length, isFull }, head: headOf(tree) }
}

function headOf(tree: Frontier): KnownHead {
  return { size: tree.size, root: tree.root() }
}

/**
 * Seals all leaves of the organization that were committed before the call. Not to be called within a transaction.
 * @returns how many that were
 * @throws ForeignHead when the tables do not hold what the server has signed
 */
export async function sealNow(ctx: Sealer, orgId: string): Promise<number> {
  let count = 0
  for (;;) {
    const batch = await sealBatch(ctx, orgId, true)
    count += batch?.sealed ?? 0
    if (batch?.isFull !== true) return count
  }
}

/** What a log is called before its first checkpoint, and from then on. */
export function originOf({ config }: Pick<Ctx, 'config'>, orgId: string): string {
  const host = config.publicUrl === null ? 'quorate.local' : new URL(config.publicUrl).host
  return `${host}/log/${orgId}`
}

async function holdHead(ctx: Sealing, tx: Tx, orgId: string, waits: boolean): Promise<LogHead | undefined> {
  const head = await lockHead(tx, orgId, waits)
  if (head !== undefined) return head
  await insertHead(tx, orgId, originOf(ctx, orgId))
  return await lockHead(tx, orgId, waits)
}

/** Tree levels that one level of tiles spans (C2SP tlog-tiles). */
const tileHeight = 8

/** Adds the leaves, and gives the subtrees that are kept of those complete with them. */
function grow(tree: Frontier, orgId: string, leaves: readonly Hash[]): NewRow<'log_nodes'>[] {
  const nodes: NewRow<'log_nodes'>[] = []
  for (const leaf of leaves) {
    tree.add(leaf, ({ level, index }, hash) => {
      if (level > 0 && level % tileHeight === 0) nodes.push({ org_id: orgId, level: level / tileHeight, index, hash })
    })
  }
  return nodes
}

async function signHead(
  { clock }: Sealing,
  tx: Tx,
  orgId: string,
  signers: readonly NoteSigner[],
  origin: string,
  tree: Frontier,
): Promise<void> {
  const root = tree.root()
  const note = signNote(renderCheckpoint({ origin, size: tree.size, root }), signers)
  await insertCheckpoint(tx, { org_id: orgId, size: tree.size, root, note, created_at: clock.now() })
}

type Settled = Pick<LogHead, 'settled_leaf_id' | 'mark_leaf_id' | 'mark_xid'>

/**
 * Moves up the id from which on unsealed leaves are looked for. A leaf M that could be seen before this transaction got its
 * number N is remembered with N. Every transaction that writes a leaf with an id below M's had its number before M had its id
 * (migration 0006), so it is smaller than N. Once a snapshot finds all transactions below N ended, it sees every leaf up to
 * M that there will ever be, and what it sees is sealed. A transaction that runs for long keeps this from moving, and nothing else.
 */
function settle(head: LogHead, newest: string, { oldest_xid, ids }: SealedLeaves, isFull: boolean): Settled {
  const last = ids.at(-1)
  let { settled_leaf_id, mark_leaf_id, mark_xid } = head
  if (mark_leaf_id !== null && mark_xid !== null && BigInt(oldest_xid) >= BigInt(mark_xid)) {
    // A full batch has left some unsealed behind its last.
    const reached = smaller(isFull && last !== undefined ? smaller(mark_leaf_id, last) : mark_leaf_id, newest)
    settled_leaf_id = larger(settled_leaf_id, reached)
    if (reached === mark_leaf_id) [mark_leaf_id, mark_xid] = [null, null]
  }
  // Numbers begin anew where a store is restored into another cluster: such a mark would be reached too late.
  const isForeign = mark_xid !== null && BigInt(mark_xid) > BigInt(head.own_xid)
  if ((mark_xid === null || isForeign) && BigInt(newest) > BigInt(settled_leaf_id)) {
    ;[mark_leaf_id, mark_xid] = [newest, head.own_xid]
  }
  return { settled_leaf_id, mark_leaf_id, mark_xid }
}

function hasChanged(head: LogHead, settled: Settled): boolean {
  return (Object.keys(settled) as (keyof Settled)[]).some((name) => settled[name] !== head[name])
}

const smaller = (a: string, b: string) => (BigInt(a) < BigInt(b) ? a : b)
const larger = (a: string, b: string) => (BigInt(a) > BigInt(b) ? a : b)
