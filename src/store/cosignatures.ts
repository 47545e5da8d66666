import type { Db } from './open.ts'
import type { NewRow, Row } from './schema.ts'
import { statement } from './statement.ts'

/** A signed checkpoint with the signature lines of some witnesses. */
export type CosignedCheckpoint = Pick<Row<'log_checkpoints'>, 'size' | 'root' | 'note' | 'created_at'> & {
  readonly cosignatures: readonly string[]
}

/** A cosignature that is there stays as it is. */
export async function insertCosignature(db: Db, cosignature: NewRow<'log_cosignatures'>): Promise<void> {
  await db
    .insertInto('log_cosignatures')
    .values(cosignature)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Organizations whose newest checkpoint this witness has not cosigned: one probe of an index for each. */
export async function findUncosigned(db: Db, name: string): Promise<string[]> {
  return (await uncosignedStatement(db, [name])).map(({ org_id }) => org_id)
}

const uncosignedStatement = statement<{ org_id: string }>(`
  select org_id from log_heads h where size > 0 and not exists (
    select from log_cosignatures s where s.org_id = h.org_id and s.size = h.size and s.name = $1)`)

/** The largest tree of the organization that this witness has cosigned, as far as we know; 0 for none. */
export async function findCosignedSize(db: Db, orgId: string, name: string): Promise<number> {
  const [row] = await cosignedStatement(db, [orgId, name])
  return Number(row?.size ?? 0)
}

const cosignedStatement = statement<{ size: string }>(
  'select size from log_cosignatures where org_id = $1 and name = $2 order by size desc limit 1',
)

/**
 * The checkpoint that one more cosignature brings nearest to its quorum: above `above`, that which most of these witnesses have
 * cosigned, the newest of such. Where none has one, the newest of all. So witnesses of different speeds meet.
 */
export async function findCheckpointToCosign(
  db: Db,
  orgId: string,
  names: readonly string[],
  above: number,
): Promise<CosignedCheckpoint | undefined> {
  const [checkpoint] = await toCosignStatement(db, [orgId, names, above])
  return checkpoint
}

// Of a witness that was away for long, what was cosigned last is enough to choose from.
const toCosignStatement = statement<CosignedCheckpoint>(`
  select size, root, note, created_at, '{}'::text[] as cosignatures from log_checkpoints
  where org_id = $1 and size > $3::bigint and size = coalesce(
    (select size from (
        select size from log_cosignatures where org_id = $1 and size > $3::bigint and name = any($2) order by size desc limit 500
      ) recent group by size order by count(*) desc, size desc limit 1),
    (select size from log_checkpoints where org_id = $1 order by size desc limit 1))`)

/** The newest checkpoint that so many of these witnesses have cosigned, with their cosignatures. */
export async function findCosignedCheckpoint(
  db: Db,
  orgId: string,
  names: readonly string[],
  quorum: number,
): Promise<CosignedCheckpoint | undefined> {
  const [checkpoint] = await quorumStatement(db, [orgId, names, quorum])
  return checkpoint
}

// None is newer than the quorum-th of the newest that each has cosigned: from there on back it is not far, however long a
// witness has been away.
const quorumStatement = statement<CosignedCheckpoint>(`
  with bound as (
    select newest.size from unnest($2::text[]) as n (name) cross join lateral (
      select s.size from log_cosignatures s where s.org_id = $1 and s.name = n.name order by s.size desc limit 1
    ) newest order by newest.size desc offset $3::integer - 1 limit 1
  ), reached as (
    select size from log_cosignatures where org_id = $1 and name = any($2) and size <= (select size from bound)
    group by size having count(*) >= $3::integer order by size desc limit 1
  )
  select c.size, c.root, c.note, c.created_at, array(
    select line from log_cosignatures s where s.org_id = c.org_id and s.size = c.size and s.name = any($2) order by s.name
  ) as cosignatures
  from log_checkpoints c where c.org_id = $1 and c.size = (select size from reached)`)
