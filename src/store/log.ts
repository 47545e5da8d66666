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

/** The largest id of a leaf that can be seen, of those that ids were given to so far; 0 without any. */
export async function findNewestLeaf(db: Db, orgId: string): Promise<string> {
  const [row] = await newestStatement(db, [orgId])
  return row?.id ?? '0'
}

// Whoever writes rows by hand may choose an id far ahead: all that come before it would be taken for settled.
const newestStatement = statement<{ id: string }>(`
  select id from audit_leaves where org_id = $1 and id <= (select last_value from audit_leaves_order)
  order by id desc limit 1`)

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

/** What the tables say of the last that was sealed. */
export interface LastSealed {
  /** Of the newest checkpoint; null without any. */
  readonly note: string | null
  readonly note_size: string | null
  /** The largest index of an entry; null without any. */
  readonly last_index: string | null
  readonly first_index: string | null
  /** The largest id that a leaf was given. */
  readonly last_id: string
}

export async function findLastSealed(tx: Tx, orgId: string): Promise<LastSealed> {
  const [last] = await lastSealedStatement(tx, [orgId])
  return last as LastSealed
}

const lastSealedStatement = statement<LastSealed>(`
  select c.note, c.size as note_size, e.index as last_index, f.index as first_index, o.last_value as last_id
  from audit_leaves_order o
  left join lateral (select note, size from log_checkpoints where org_id = $1 order by size desc limit 1) c on true
  left join lateral (select index from log_entries where org_id = $1 order by index desc limit 1) e on true
  left join lateral (select index from log_entries where org_id = $1 order by index limit 1) f on true`)

export interface SealedLeaves {
  /** Ids of the leaves, in the order of their indexes. */
  readonly ids: readonly string[]
  /** Their hashes, 32 bytes each. */
  readonly hashes: Uint8Array
  /** What a leaf's mark is over: hash, organization and subject, 64 bytes each. */
  readonly marked: Buffer
  /** As their rows say, 32 bytes each. */
  readonly marks: Buffer
  /** Ids of those whose hash was in the log before. */
  readonly repeated: readonly string[]
  /** All transactions with smaller numbers have ended, and what they wrote could be seen. */
  readonly oldest_xid: string
}

/**
 * Gives the next indexes to leaves that can be seen and have none, in the order of their ids. The hashes are made where the
 * leaves are, so that no content travels. Whether they are the server's own is for the caller to see, before it commits.
 * @param without ids of leaves to pass over
 */
export async function sealLeaves(
  tx: Tx,
  orgId: string,
  { size, settled_leaf_id }: Pick<LogHead, 'size' | 'settled_leaf_id'>,
  limit: number,
  without: readonly string[],
): Promise<SealedLeaves> {
  // Sent together; the second is planned once the first has run.
  const [, [sealed]] = await Promise.all([
    inOrderStatement(tx, []),
    sealStatement(tx, [orgId, settled_leaf_id, size, limit, without]),
  ])
  const { ids, hashes, marked, marks, repeated, oldest_xid } = sealed as SealedRow
  return {
    ids: ids?.split(',') ?? [],
    hashes: hashes ?? nothing,
    marked: bufferOver(marked ?? nothing),
    marks: bufferOver(marks ?? nothing),
    repeated: repeated?.split(',') ?? [],
    oldest_xid,
  }
}

interface SealedRow {
  readonly ids: string | null
  readonly hashes: Uint8Array | null
  readonly marked: Uint8Array | null
  readonly marks: Uint8Array | null
  readonly repeated: string | null
  readonly oldest_xid: string
}

const nothing = new Uint8Array(0)

function bufferOver({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

// For the rest of the transaction the planner goes through the tables in the order of their indexes, whatever it knows of their sizes.
// A log grows by thousands between two looks of autovacuum, and a plan made for the small one would compare each new leaf with all
// others.
const inOrderStatement = statement(`
  select set_config(name, 'off', true)
  from unnest('{enable_seqscan,enable_bitmapscan,enable_hashjoin,enable_nestloop}'::text[]) as settings (name)`)

// A mark of another length is no mark: as zeros it keeps the others in their places. Leaves and entries are read side by side, in the
// order of their ids. A hash is looked up by its index, leaf by leaf, however large the log is: `offset 0` keeps it from becoming a join.
const sealStatement = statement<SealedRow>(`
  with fresh as (
    select l.id, l.subject_id, sha256('\\x00'::bytea || convert_to(l.content, 'UTF8')) as hash,
      case length(l.mark) when 32 then l.mark else decode(repeat('00', 32), 'hex') end as mark
    from audit_leaves l
    where l.org_id = $1 and l.id > $2::bigint and l.id <> all($5::bigint[]) and not exists (
      select from log_entries e where e.org_id = $1 and e.leaf_id = l.id and e.leaf_id > $2::bigint)
    order by l.id limit $4::integer
  ), numbered as (
    select id, subject_id, hash, mark, $3::bigint + row_number() over (order by id) - 1 as index from fresh
  ), added as (
    insert into log_entries (org_id, index, leaf_id, hash, subject_id) select $1, index, id, hash, subject_id from numbered
  )
  select string_agg(n.id::text, ',' order by n.index) as ids, string_agg(n.hash, ''::bytea order by n.index) as hashes,
    string_agg(n.mark, ''::bytea order by n.index) as marks,
    string_agg(n.hash || uuid_send($1) || uuid_send(n.subject_id), ''::bytea order by n.index) as marked,
    string_agg(n.id::text, ',' order by n.index) filter (where exists (
      select from log_entries e where e.org_id = $1 and e.hash = n.hash offset 0)) as repeated,
    pg_snapshot_xmin(pg_current_snapshot())::text as oldest_xid
  from numbered n`)

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
