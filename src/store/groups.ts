import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import { containing, offsetOf, type Page } from './page.ts'
import type { Dialect, NewRow, Row } from './schema.ts'
import { statement } from './statement.ts'

export type GroupRow = Row<'groups'>
export type GroupKey = { readonly id: string } | { readonly name: string }

export async function insertGroup(tx: Tx, group: NewRow<'groups'>): Promise<void> {
  await tx.insertInto('groups').values(group).execute()
}

/** @param dialect null for one of any, deleted ones among them */
export async function findGroup(
  db: Db,
  orgId: string,
  key: GroupKey,
  dialect: Dialect | null = 'native',
): Promise<GroupRow | undefined> {
  const all = db.selectFrom('groups').selectAll().where('org_id', '=', orgId)
  const groups = dialect === null ? all : all.where('dialect', '=', dialect).where('deleted_at', 'is', null)
  const found = 'id' in key ? groups.where('id', '=', key.id) : groups.where('name', '=', key.name)
  return await found.executeTakeFirst()
}

/** Names of those of `ids` that exist. */
export async function findGroupNames(db: Db, orgId: string, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('groups')
    .select(['id', 'name'])
    .where('org_id', '=', orgId)
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
  return new Map(rows.map((row) => [row.id, row.name]))
}

/** Everyone who changes a group's members holds this lock, so that `member_count` is what there is. Of any dialect. */
export async function lockGroup(tx: Tx, orgId: string, id: string): Promise<GroupRow | undefined> {
  return await tx
    .selectFrom('groups')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
}

/** Adds `difference` to the number of members. */
export async function changeMemberCount(
  tx: Tx,
  orgId: string,
  id: string,
  difference: number,
  at: Date,
): Promise<GroupRow> {
  return await tx
    .updateTable('groups')
    .set((set) => ({
      member_count: set('member_count', '+', difference),
      row_version: sql<string>`row_version + 1`,
      updated_at: at,
    }))
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export interface GroupFilter {
  /** Only groups that this principal is in; null for every group. */
  readonly memberId: string | null
  /** Only groups whose name contains this; null for any name. */
  readonly search: string | null
}

const matching = (db: Db, orgId: string, { memberId, search }: GroupFilter) =>
  db
    .selectFrom('groups as g')
    .where('g.org_id', '=', orgId)
    .where('g.dialect', '=', 'native')
    .$if(memberId !== null, (query) =>
      query.where((where) =>
        where.exists(
          where
            .selectFrom('memberships as m')
            .select('m.group_id')
            .whereRef('m.org_id', '=', 'g.org_id')
            .whereRef('m.group_id', '=', 'g.id')
            .where('m.principal_id', '=', memberId ?? ''),
        ),
      ),
    )
    .$if(search !== null, (query) => query.where('g.name', 'ilike', containing(search ?? '')))

/** Oldest first. */
export async function listGroups(db: Db, orgId: string, filter: GroupFilter, page: Page): Promise<GroupRow[]> {
  return await matching(db, orgId, filter)
    .selectAll('g')
    .orderBy('g.created_at')
    .orderBy('g.id')
    .limit(page.limit)
    .offset(offsetOf(page))
    .execute()
}

export async function countGroups(db: Db, orgId: string, filter: GroupFilter): Promise<number> {
  const { total } = await matching(db, orgId, filter)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

const eligibleMembers = statement<{ id: string; eligible: number }>(`
  select g.id, (select count(*)::integer from (
    select 1 from memberships m join principals p on p.org_id = m.org_id and p.id = m.principal_id
    where m.org_id = g.org_id and m.group_id = g.id and p.disabled_at is null limit $3
  ) members) as eligible
  from groups g where g.org_id = $1 and g.id = any ($2::uuid[])`)

/** How many members of each group may act, counting no further than `enough`. Groups that do not exist are left out. */
export async function countEligibleMembers(
  tx: Tx,
  orgId: string,
  groupIds: readonly string[],
  enough: number,
): Promise<{ id: string; eligible: number }[]> {
  return await eligibleMembers(tx, [orgId, groupIds, enough])
}
