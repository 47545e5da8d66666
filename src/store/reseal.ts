import { sql } from 'kysely'
import { headerOf, seal, unseal, type KeyRing } from '../config/secrets.ts'
import type { Db } from './open.ts'

/** A column of values that stay. Answers, proofs and sign-ins are forgotten soon anyway. */
export interface SealedColumn {
  readonly table: string
  readonly column: string
  /** The columns of the table's key, all of them UUIDs; (org_id, id) unless said otherwise. */
  readonly key?: readonly string[]
}

/** Every sealed column whose values stay. */
export const sealedColumns: readonly SealedColumn[] = [
  { table: 'policies', column: 'actions' },
  { table: 'deliveries', column: 'action' },
  { table: 'webhook_keys', column: 'secret' },
  { table: 'privx_settings', column: 'sealed_password' },
  { table: 'credentials', column: 'sealed' },
  { table: 'fortanix_keys', column: 'material' },
  { table: 'fortanix_requests', column: 'body', key: ['org_id', 'request_id'] },
  { table: 'fortanix_requests', column: 'result', key: ['org_id', 'request_id'] },
  { table: 'fortanix_approvals', column: 'body', key: ['org_id', 'request_id', 'principal_id'] },
]

export interface Resealing {
  readonly resealed: number
  /** Values that no key opens; they were left as they are. */
  readonly unreadable: number
}

const batch = 100

/**
 * Seals anew, under the key that seals now, whatever of a column is sealed under another. Each value is one statement that
 * changes it only if it is still what was read, so that any number of processes may do this at once, beside everything else,
 * and a process that is killed leaves the rest to the next run.
 */
export async function resealColumn(
  db: Db,
  ring: KeyRing,
  { table, column, key = ['org_id', 'id'] }: SealedColumn,
): Promise<Resealing> {
  const [rows, value] = [sql.table(table), sql.ref(column)]
  const columns = sql.join(key.map((name) => sql.ref(name)))
  const header = headerOf(ring)
  let [last, resealed, unreadable] = [key.map(() => noId), 0, 0]
  for (;;) {
    const { rows: stale } = await sql<StaleRow>`
      select array[${columns}]::text[] as key, ${value} as sealed from ${rows}
      where (${columns}) > (${uuids(last)}) and substring(${value} from 1 for 5) <> ${header}
      order by ${columns} limit ${batch}`.execute(db)
    for (const row of stale) {
      last = row.key
      const plain = openOrNull(ring, row.sealed)
      if (plain === null) {
        unreadable += 1
        continue
      }
      const { numAffectedRows } = await sql`update ${rows} set ${value} = ${seal(ring, plain)}
        where (${columns}) = (${uuids(row.key)}) and ${value} = ${row.sealed}`.execute(db)
      resealed += Number(numAffectedRows ?? 0)
    }
    if (stale.length < batch) return { resealed, unreadable }
  }
}

interface StaleRow {
  readonly key: string[]
  readonly sealed: Uint8Array
}

const noId = '00000000-0000-0000-0000-000000000000'

const uuids = (ids: readonly string[]) => sql.join(ids.map((id) => sql`${id}::uuid`))

function openOrNull(ring: KeyRing, sealed: Uint8Array): Buffer | null {
  try {
    return unseal(ring, sealed)
  } catch {
    return null
  }
}
