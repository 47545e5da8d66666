import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import { containing, offsetOf, type Page } from './page.ts'
import type { NewRow, Row } from './schema.ts'

export type GroupRow = Row<'groups'>
export type GroupKey = { readonly id: string } | { readonly name: string }

export async function insertGroup(tx: Tx, group: NewRow<'groups'>): Promise<void> {
  await tx.insertInto('groups').values(group).execute()
}

export async function findGroup(db: Db, orgId: string, key: GroupKey): Promise<GroupRow | undefined> {
  const groups = db.selectFrom('groups').selectAll().where('org_id', '=', orgId)
  const found = 'id' in key ? groups.where('id', '=', key.id) : groups.where('name', '=', key.name)
  return await found.executeTakeFirst()
}

/** Everyone who changes a group's members holds this lock, so that `member_count` is what there is. */
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
