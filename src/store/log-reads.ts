import type { Db } from './open.ts'
import type { Row } from './schema.ts'
import { statement } from './statement.ts'

/** Hashes of `count` leaves from index `start` on, as far as there are any. */
export async function readEntryHashes(db: Db, orgId: string, start: number, count: number): Promise<Uint8Array[]> {
  return (await entriesStatement(db, [orgId, start, count])).map(({ hash }) => hash)
}

const entriesStatement = statement<{ hash: Uint8Array }>(`
  select hash from log_entries where org_id = $1 and index >= $2::bigint and index < $2::bigint + $3::bigint order by index`)

/** As `readEntryHashes`, of the complete subtrees of `256 ** level` leaves, from level 1 up. */
export async function readNodeHashes(
  db: Db,
  orgId: string,
  level: number,
  start: number,
  count: number,
): Promise<Uint8Array[]> {
  return (await nodesStatement(db, [orgId, level, start, count])).map(({ hash }) => hash)
}

const nodesStatement = statement<{ hash: Uint8Array }>(`
  select hash from log_nodes where org_id = $1 and level = $2::smallint
    and index >= $3::bigint and index < $3::bigint + $4::bigint order by index`)

/** A leaf with its place in the log. */
export interface LoggedLeaf {
  readonly index: string
  readonly hash: Uint8Array
  readonly content: string
}

/** `count` leaves from index `start` on, as far as there are any. */
export async function readEntries(db: Db, orgId: string, start: number, count: number): Promise<LoggedLeaf[]> {
  return await leavesStatement(db, [orgId, start, count])
}

const leavesStatement = statement<LoggedLeaf>(`
  select e.index, e.hash, l.content from log_entries e
  join audit_leaves l on l.org_id = e.org_id and l.id = e.leaf_id
  where e.org_id = $1 and e.index >= $2::bigint and e.index < $2::bigint + $3::bigint order by e.index`)

/** The first index of a leaf with this hash. */
export async function findEntryByHash(db: Db, orgId: string, hash: Uint8Array): Promise<number | undefined> {
  const row = await db
    .selectFrom('log_entries')
    .select('index')
    .where('org_id', '=', orgId)
    .where('hash', '=', hash)
    .orderBy('index')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? undefined : Number(row.index)
}

/** A checkpoint with the signature lines of its witnesses. */
export type StoredCheckpoint = Pick<Row<'log_checkpoints'>, 'size' | 'root' | 'note' | 'created_at'> & {
  readonly cosignatures: readonly string[]
}

/** The newest. */
export async function findLatestCheckpoint(db: Db, orgId: string): Promise<StoredCheckpoint | undefined> {
  const [checkpoint] = await latestStatement(db, [orgId])
  return checkpoint
}

/** That of a tree of exactly so many leaves. */
export async function findCheckpoint(db: Db, orgId: string, size: number): Promise<StoredCheckpoint | undefined> {
  const [checkpoint] = await checkpointStatement(db, [orgId, size])
  return checkpoint
}

const checkpointColumns = `
  select size, root, note, created_at, array(
    select line from log_cosignatures s where s.org_id = c.org_id and s.size = c.size order by s.created_at, s.name
  ) as cosignatures from log_checkpoints c where org_id = $1`
const latestStatement = statement<StoredCheckpoint>(`${checkpointColumns} order by size desc limit 1`)
const checkpointStatement = statement<StoredCheckpoint>(`${checkpointColumns} and size = $2::bigint`)

/** The origin of the organization's log; undefined before its first checkpoint. */
export async function findOrigin(db: Db, orgId: string): Promise<string | undefined> {
  const row = await db.selectFrom('log_heads').select('origin').where('org_id', '=', orgId).executeTakeFirst()
  return row?.origin
}
