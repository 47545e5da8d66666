import type { Db } from './open.ts'
import type { StoredCheckpoint } from './log-reads.ts'
import type { NewRow } from './schema.ts'
import { statement } from './statement.ts'

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
): Promise<StoredCheckpoint | undefined> {
  const [checkpoint] = await toCosignStatement(db, [orgId, names, above])
  return checkpoint
}

// Of a witness that was away for long, what was cosigned last is enough to choose from.
const toCosignStatement = statement<StoredCheckpoint>(`
  select size, root, note, created_at, '{}'::text[] as cosignatures from log_checkpoints
  where org_id = $1 and size > $3::bigint and size = coalesce(
    (select size from (
        select size from log_cosignatures where org_id = $1 and size > $3::bigint and name = any($2) order by size desc limit 500
      ) recent group by size order by count(*) desc, size desc limit 1),
    (select size from log_checkpoints where org_id = $1 order by size desc limit 1))`)
