import { sql } from 'kysely'
import type { Db } from './open.ts'

/** How something is named wherever it is referred to; of what was deleted the last name. Who is disabled is as good as deleted. */
export interface Handle {
  readonly id: string
  readonly name: string
  readonly isDeleted: boolean
}

export type Handles = ReadonlyMap<string, Handle>

export async function findRoleHandles(db: Db, orgId: string, ids: readonly string[]): Promise<Handles> {
  const { rows } = await sql<Handle>`
    select id, name, deleted_at is not null as "isDeleted" from groups
    where org_id = ${orgId} and dialect = 'privx' and id = any(${[...new Set(ids)]}::uuid[])`.execute(db)
  return new Map(rows.map((row) => [row.id, row]))
}

export async function findPrincipalHandles(db: Db, orgId: string, ids: readonly string[]): Promise<Handles> {
  const { rows } = await sql<Handle>`
    select id, name, disabled_at is not null as "isDeleted" from principals
    where org_id = ${orgId} and id = any(${[...new Set(ids)]}::uuid[])`.execute(db)
  return new Map(rows.map((row) => [row.id, row]))
}

export async function findEnabledPrincipal(
  db: Db,
  orgId: string,
  id: string,
): Promise<{ person_id: string | null } | undefined> {
  return await db
    .selectFrom('principals')
    .select('person_id')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .executeTakeFirst()
}
