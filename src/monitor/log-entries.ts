import type { Tx } from '../store/open.ts'
import { literal, readRows } from './read-rows.ts'
import type { StoredLeaf } from './leaf-content.ts'

/** A leaf with the columns beside its content. */
export interface LeafRow extends StoredLeaf {
  readonly org_id: string
  readonly kind: string
  readonly subject_id: string
  readonly created_at: Date
}

/** One that has no entry yet, with what says that the server wrote it. */
export interface UnsealedLeaf extends LeafRow {
  readonly mark: Uint8Array | null
  /** No server was given this id yet. */
  readonly is_ahead: boolean
}

/** An entry of the log with its leaf; the leaf's columns are null, its id too, where it is gone. */
export interface EntryRow extends Omit<LeafRow, 'id'> {
  readonly index: number
  /** The index as the database writes it: JavaScript's numbers end at 2^53. */
  readonly row: string
  readonly leaf_id: string
  readonly hash: Uint8Array
  readonly entry_subject: string
  readonly id: string | null
}

export function readEntries(tx: Tx, org: string): AsyncGenerator<EntryRow, void, undefined> {
  return readRows<EntryRow>(
    tx,
    `select e.index::float8 as index, e.index::text as row, e.leaf_id, e.hash, e.subject_id as entry_subject,
      l.id, l.org_id, l.kind, l.subject_id, l.content, l.private, l.created_at
    from log_entries e left join audit_leaves l on l.org_id = e.org_id and l.id = e.leaf_id
    where e.org_id = ${org} order by e.index`,
  )
}

/** Leaves that are newer than the newest entry. */
export function readUnsealed(tx: Tx, org: string, settled: string): AsyncGenerator<UnsealedLeaf, void, undefined> {
  return readRows<UnsealedLeaf>(
    tx,
    `select l.*, l.id > (select last_value from audit_leaves_order) as is_ahead from audit_leaves l where l.org_id = ${org} and l.id > ${literal(settled)}::bigint
      and not exists (select from log_entries e where e.org_id = l.org_id and e.leaf_id = l.id) order by l.id`,
  )
}

export async function hasLeaves(tx: Tx, orgId: string): Promise<boolean> {
  const first = await tx.selectFrom('audit_leaves').select('id').where('org_id', '=', orgId).limit(1).executeTakeFirst()
  return first !== undefined
}
