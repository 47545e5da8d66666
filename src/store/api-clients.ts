import { sql } from 'kysely'
import { isNoApp } from './credentials.ts'
import type { Db } from './open.ts'
import { containing } from './page.ts'

/** A machine that signs in by an id and a secret. */
export interface ApiClientRow {
  id: string
  name: string
  created_at: Date
  changed_at: Date
  /** What it signs in with. */
  client_id: string
  sealed: Uint8Array | null
}

const clients = (db: Db, orgId: string) =>
  db
    .selectFrom('principals as a')
    .innerJoin('credentials as c', (join) =>
      join.onRef('c.org_id', '=', 'a.org_id').onRef('c.principal_id', '=', 'a.id'),
    )
    .where('a.org_id', '=', orgId)
    .where('a.disabled_at', 'is', null)
    .where('c.kind', '=', 'client-secret')
    .where(isNoApp('a.id'))

export const clientSortColumns = { id: 'a.id', name: 'a.name', created: 'a.created_at' } as const

export interface ClientSlice {
  readonly offset: number
  readonly limit: number
  readonly sortKey: keyof typeof clientSortColumns
  readonly isDescending: boolean
}

/** Those whose name or what they sign in with contains the keywords; all of them without. */
const matching = (db: Db, orgId: string, keywords: string | null) =>
  clients(db, orgId).$if(keywords !== null, (query) => {
    const pattern = containing(keywords ?? '')
    return query.where((where) => where.or([where('a.name', 'ilike', pattern), where('c.name', 'ilike', pattern)]))
  })

export async function listApiClients(
  db: Db,
  orgId: string,
  keywords: string | null,
  slice: ClientSlice,
): Promise<ApiClientRow[]> {
  const direction = slice.isDescending ? 'desc' : 'asc'
  return await matching(db, orgId, keywords)
    .select(['a.id', 'a.name', 'a.created_at', 'c.changed_at', 'c.name as client_id', 'c.sealed'])
    .orderBy(clientSortColumns[slice.sortKey], direction)
    .orderBy('a.id', direction)
    .limit(slice.limit)
    .offset(slice.offset)
    .execute()
}

export async function countApiClients(db: Db, orgId: string, keywords: string | null): Promise<number> {
  const { total } = await matching(db, orgId, keywords)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

export async function findApiClient(db: Db, orgId: string, id: string): Promise<ApiClientRow | undefined> {
  return await clients(db, orgId)
    .select(['a.id', 'a.name', 'a.created_at', 'c.changed_at', 'c.name as client_id', 'c.sealed'])
    .where('a.id', '=', id)
    .executeTakeFirst()
}

/** Whether a principal of this id is there, disabled or not. */
export async function isPrincipalId(db: Db, orgId: string, id: string): Promise<boolean> {
  const { rows } = await sql`select from principals where org_id = ${orgId} and id = ${id}`.execute(db)
  return rows.length > 0
}
