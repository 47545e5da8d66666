import { isKeyName, type VerifierKey } from '../proof/note.ts'
import type { Tx } from '../store/open.ts'
import { signedIn } from './believed-keys.ts'

/** The head of a log as its row tells it; all zero where there is none. */
export interface Head {
  readonly origin: string
  readonly size: number
  readonly settled: string
  readonly frontier: Uint8Array
  readonly isStored: boolean
}

export async function readHead(tx: Tx, orgId: string): Promise<Head> {
  const row = await tx.selectFrom('log_heads').selectAll().where('org_id', '=', orgId).executeTakeFirst()
  const { origin = '', size = '0', settled_leaf_id: settled = '0', frontier = new Uint8Array() } = row ?? {}
  return { origin, size: Number(size), settled, frontier, isStored: row !== undefined }
}

/**
 * What the log is called: by its newest checkpoint, when that is signed, or else by its head.
 * @param keysOf those that are believed to sign the log of a name
 */
export async function originOf(
  tx: Tx,
  orgId: string,
  head: Head,
  keysOf: (origin: string) => readonly VerifierKey[],
): Promise<string> {
  const newest = await tx
    .selectFrom('log_checkpoints')
    .select('note')
    .where('org_id', '=', orgId)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
  const [named = ''] = newest?.note.split('\n') ?? []
  if (newest === undefined || named === head.origin || !isKeyName(named)) return head.origin
  return signedIn(newest.note, keysOf(named)) === null ? head.origin : named
}
