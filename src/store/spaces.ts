import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import { containing, offsetOf, type Page } from './page.ts'
import type { NewRow, Row } from './schema.ts'

export type SpaceRow = Row<'spaces'>

export async function insertSpace(tx: Tx, space: NewRow<'spaces'>): Promise<void> {
  await tx.insertInto('spaces').values(space).execute()
}

export async function findSpace(db: Db, orgId: string, id: string): Promise<SpaceRow | undefined> {
  return await db.selectFrom('spaces').selectAll().where('org_id', '=', orgId).where('id', '=', id).executeTakeFirst()
}

/** Names of those of `ids` that exist. */
export async function findSpaceNames(db: Db, orgId: string, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('spaces')
    .select(['id', 'name'])
    .where('org_id', '=', orgId)
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
  return new Map(rows.map((row) => [row.id, row.name]))
}

/** Its policies, their requests and votes go with it. True when there was one. */
export async function deleteSpace(tx: Tx, orgId: string, id: string): Promise<boolean> {
  const deleted = await tx
    .deleteFrom('spaces')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return deleted !== undefined
}

/** Names of the native policies that lie in a space. */
export async function findPolicyNamesInSpace(db: Db, orgId: string, spaceId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('policies')
    .select('name')
    .distinct()
    .where('org_id', '=', orgId)
    .where('space_id', '=', spaceId)
    .where('dialect', '=', 'native')
    .execute()
  return rows.map((row) => row.name)
}

const matching = (db: Db, orgId: string, search: string | null) =>
  db
    .selectFrom('spaces')
    .where('org_id', '=', orgId)
    .$if(search !== null, (query) => query.where('name', 'ilike', containing(search ?? '')))

/** Oldest first. */
export async function listSpaces(db: Db, orgId: string, search: string | null, page: Page): Promise<SpaceRow[]> {
  return await matching(db, orgId, search)
    .selectAll()
    .orderBy('created_at')
    .orderBy('id')
    .limit(page.limit)
    .offset(offsetOf(page))
    .execute()
}

export async function countSpaces(db: Db, orgId: string, search: string | null): Promise<number> {
  const { total } = await matching(db, orgId, search)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** Locks a space against its deletion, and against another transaction that counts what is in it. */
export async function lockSpace(tx: Tx, orgId: string, spaceId: string): Promise<SpaceRow | undefined> {
  return await tx
    .selectFrom('spaces')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', spaceId)
    .forNoKeyUpdate()
    .executeTakeFirst()
}
