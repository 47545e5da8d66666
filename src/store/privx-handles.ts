import { sql } from 'kysely'
import type { Db } from './open.ts'

/** How something is named wherever it is referred to; of what was deleted the last name. */
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
    select id, name, false as "isDeleted" from principals
    where org_id = ${orgId} and id = any(${[...new Set(ids)]}::uuid[])`.execute(db)
  return new Map(rows.map((row) => [row.id, row]))
}

/** The roles that a principal holds at this moment. */
export async function findHeldRoles(db: Db, orgId: string, principalId: string, now: Date): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select g.id from memberships m join groups g on g.org_id = m.org_id and g.id = m.group_id
    where m.org_id = ${orgId} and m.principal_id = ${principalId} and g.dialect = 'privx' and g.deleted_at is null
      and (m.starts_at is null or m.starts_at <= ${now}) and (m.ends_at is null or m.ends_at > ${now})`.execute(db)
  return rows.map(({ id }) => id)
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
