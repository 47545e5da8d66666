import { sql } from 'kysely'
import { isInForce } from './memberships.ts'
import type { Db, Tx } from './open.ts'
import { containing } from './page.ts'
import type { NewRow, Row } from './schema.ts'
import { statement } from './statement.ts'

/** A role: a group of the dialect privx. */
export type RoleRow = Row<'groups'>

export interface HeldRole {
  readonly id: string
  readonly name: string
  readonly permissions: readonly string[]
}

const heldStatement = statement<HeldRole>(`
  select g.id, g.name, g.permissions from memberships m
  join groups g on g.org_id = m.org_id and g.id = m.group_id
  where m.org_id = $1 and m.principal_id = $2 and g.dialect = 'privx' and g.deleted_at is null
    and (m.starts_at is null or m.starts_at <= $3) and (m.ends_at is null or m.ends_at > $3)
  order by g.name, g.id`)

/** The roles of a principal that are in force now. */
export async function findHeldRoles(db: Db, orgId: string, principalId: string, now: Date): Promise<HeldRole[]> {
  return await heldStatement(db, [orgId, principalId, now])
}

const roles = (db: Db, orgId: string) =>
  db.selectFrom('groups').where('org_id', '=', orgId).where('dialect', '=', 'privx').where('deleted_at', 'is', null)

export async function findRole(db: Db, orgId: string, id: string): Promise<RoleRow | undefined> {
  return await roles(db, orgId).selectAll().where('id', '=', id).executeTakeFirst()
}

/** As `findRole`, and holds up whoever changes the role or its members until the transaction ends. */
export async function lockRole(tx: Tx, orgId: string, id: string): Promise<RoleRow | undefined> {
  return await roles(tx, orgId).selectAll().where('id', '=', id).forNoKeyUpdate().executeTakeFirst()
}

export async function findRoleNamed(db: Db, orgId: string, name: string): Promise<RoleRow | undefined> {
  return await roles(db, orgId).selectAll().where('name', '=', name).executeTakeFirst()
}

/** How many hold each of these roles at `now` and are not disabled; a role that nobody holds is left out. */
export async function countHolders(
  db: Db,
  orgId: string,
  ids: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('memberships as m')
    .innerJoin('principals as a', (join) =>
      join.onRef('a.org_id', '=', 'm.org_id').onRef('a.id', '=', 'm.principal_id'),
    )
    .select((select) => ['m.group_id', select.fn.countAll<string>().as('holders')])
    .where('m.org_id', '=', orgId)
    .where('m.group_id', '=', sql<string>`any(${[...ids]}::uuid[])`)
    .where('a.disabled_at', 'is', null)
    .where(isInForce('m', now))
    .groupBy('m.group_id')
    .execute()
  return new Map(rows.map(({ group_id, holders }) => [group_id, Number(holders)]))
}

/** Those of `ids` that are roles and not deleted. */
export async function findRolesAmong(db: Db, orgId: string, ids: readonly string[]): Promise<Map<string, RoleRow>> {
  const rows = await roles(db, orgId)
    .selectAll()
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

export interface RoleFilter {
  /** Only roles of these names; null for any. */
  readonly names: readonly string[] | null
  /** Only roles whose name contains this; null for any. */
  readonly keywords: string | null
}

const matching = (db: Db, orgId: string, { names, keywords }: RoleFilter) =>
  roles(db, orgId)
    .$if(names !== null, (query) => query.where('name', '=', sql<string>`any(${names ?? []}::text[])`))
    .$if(keywords !== null, (query) => query.where('name', 'ilike', containing(keywords ?? '')))

export const roleSortColumns = { id: 'id', name: 'name', created: 'created_at', updated: 'updated_at' } as const

export interface RoleSlice {
  readonly offset: number
  readonly limit: number
  readonly sortKey: keyof typeof roleSortColumns
  readonly isDescending: boolean
}

export async function listRoles(db: Db, orgId: string, filter: RoleFilter, slice: RoleSlice): Promise<RoleRow[]> {
  const direction = slice.isDescending ? 'desc' : 'asc'
  return await matching(db, orgId, filter)
    .selectAll()
    .orderBy(roleSortColumns[slice.sortKey], direction)
    .orderBy('id', direction)
    .limit(slice.limit)
    .offset(slice.offset)
    .execute()
}

export async function countRoles(db: Db, orgId: string, filter: RoleFilter): Promise<number> {
  const { total } = await matching(db, orgId, filter)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

export interface RoleColumns {
  readonly name: string
  readonly description: string | null
  readonly permissions: readonly string[]
  /** As JSON. */
  readonly attributes: string
}

export async function insertRole(
  tx: Tx,
  role: RoleColumns & Pick<NewRow<'groups'>, 'org_id' | 'id' | 'created_at' | 'updated_at'>,
): Promise<void> {
  await tx
    .insertInto('groups')
    .values({ ...role, permissions: [...role.permissions], dialect: 'privx', member_count: 0 })
    .execute()
}

export async function updateRole(tx: Tx, orgId: string, id: string, columns: RoleColumns, at: Date): Promise<void> {
  await tx
    .updateTable('groups')
    .set({
      ...columns,
      permissions: [...columns.permissions],
      updated_at: at,
      row_version: sql<string>`row_version + 1`,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute()
}

/** The row stays, for its name. */
export async function markRoleDeleted(tx: Tx, orgId: string, id: string, at: Date): Promise<void> {
  await tx
    .updateTable('groups')
    .set({ deleted_at: at, updated_at: at, row_version: sql<string>`row_version + 1` })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute()
}
