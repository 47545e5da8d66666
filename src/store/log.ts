import type { Db, Tx } from './open.ts'
import type { NewRow } from './schema.ts'
import { statement } from './statement.ts'

/** Where the sealing of an organization's leaves is; held by whoever reads it, until their transaction ends. */
export interface LogHead {
  readonly origin: string
  readonly size: string
  readonly frontier: Uint8Array
  readonly settled_leaf_id: string
  readonly mark_leaf_id: string | null
  readonly mark_xid: string | null
  /** The number of the transaction that reads. */
  readonly own_xid: string
}

/** Organizations with leaves that are not known to be sealed: one probe of an index for each organization. */
export async function findUnsealed(db: Db): Promise<string[]> {
  return (await unsealedStatement(db, [])).map(({ id }) => id)
}

const unsealedStatement = statement<{ id: string }>(`
  select o.id from organizations o
  left join log_heads h on h.org_id = o.id
  cross join lateral (select l.id from audit_leaves l where l.org_id = o.id order by l.id desc limit 1) newest
  where newest.id > coalesce(h.settled_leaf_id, 0)`)

/** The largest id of a leaf that can be seen; 0 without any. */
export async function findNewestLeaf(db: Db, orgId: string): Promise<string> {
  const [row] = await newestStatement(db, [orgId])
  return row?.id ?? '0'
}

const newestStatement = statement<{ id: string }>(
  `select id from audit_leaves where org_id = $1 order by id desc limit 1`,
)

/** Makes the head of an organization that has none. */
export async function insertHead(tx: Tx, orgId: string, origin: string): Promise<void> {
  const head = { org_id: orgId, origin }
  await tx
    .insertInto('log_heads')
    .values(head)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Undefined where there is no head, or another transaction holds it and `waits` is false. */
export async function lockHead(tx: Tx, orgId: string, waits: boolean): Promise<LogHead | undefined> {
  const [head] = await (waits ? awaitHeadStatement : takeHeadStatement)(tx, [orgId])
  return head
}

const headColumns = `
  select origin, size, frontier, settled_leaf_id, mark_leaf_id, mark_xid::text, pg_current_xact_id()::text as own_xid
  from log_heads where org_id = $1 for update`
const awaitHeadStatement = statement<LogHead>(headColumns)
const takeHeadStatement = statement<LogHead>(`${headColumns} skip locked`)

export interface SealedLeaves {
  /** Hashes of the leaves in the order of their indexes, 32 bytes each. */
  readonly hashes: Uint8Array | null
  /** The largest id of them. */
  readonly last_leaf_id: string | null
  /** All transactions with smaller numbers have ended, and what they wrote could be seen. */
  readonly oldest_xid: string
}

/**
 * Gives the next indexes to leaves that can be seen and have none, in the order of their ids. The hashes are made where the
 * leaves are, so that no content travels.
 */
export async function sealLeaves(
  tx: Tx,
  orgId: string,
  { size, settled_leaf_id }: Pick<LogHead, 'size' | 'settled_leaf_id'>,
  limit: number,
): Promise<SealedLeaves> {
  const [sealed] = await sealStatement(tx, [orgId, settled_leaf_id, size, limit])
  return sealed as SealedLeaves
}

const sealStatement = statement<SealedLeaves>(`
  with fresh as (
    select l.id, l.subject_id, sha256('\\x00'::bytea || convert_to(l.content, 'UTF8')) as hash from audit_leaves l
    where l.org_id = $1 and l.id > $2::bigint and not exists (
      select from log_entries e where e.org_id = $1 and e.leaf_id = l.id and e.leaf_id > $2::bigint)
    order by l.id limit $4::integer
  ), numbered as (
    select id, subject_id, hash, $3::bigint + row_number() over (order by id) - 1 as index from fresh
  ), added as (
    insert into log_entries (org_id, index, leaf_id, hash, about_id) select $1, index, id, hash, subject_id from numbered
  )
  select string_agg(hash, ''::bytea order by index) as hashes, max(id)::text as last_leaf_id,
    pg_snapshot_xmin(pg_current_snapshot())::text as oldest_xid
  from numbered`)

export async function insertNodes(tx: Tx, orgId: string, nodes: readonly NewRow<'log_nodes'>[]): Promise<void> {
  if (nodes.length === 0) return
  const column = (name: 'level' | 'index' | 'hash') => nodes.map((node) => node[name])
  await nodesStatement(tx, [orgId, column('level'), column('index'), column('hash')])
}

const nodesStatement = statement(`
  insert into log_nodes (org_id, level, index, hash)
  select $1, level, index, hash from unnest($2::smallint[], $3::bigint[], $4::bytea[]) as n (level, index, hash)`)

export async function updateHead(
  tx: Tx,
  orgId: string,
  head: { size: number; frontier: Uint8Array } & Pick<LogHead, 'settled_leaf_id' | 'mark_leaf_id' | 'mark_xid'>,
): Promise<void> {
  await tx.updateTable('log_heads').set(head).where('org_id', '=', orgId).execute()
}

export async function insertCheckpoint(tx: Tx, checkpoint: NewRow<'log_checkpoints'>): Promise<void> {
  await tx.insertInto('log_checkpoints').values(checkpoint).execute()
}
