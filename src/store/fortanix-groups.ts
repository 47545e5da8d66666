import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

/** A group that holds keys: the engine's, with what stands beside it. */
export type CustodyGroupRow = Row<'fortanix_groups'> &
  Pick<Row<'groups'>, 'name' | 'description' | 'created_at' | 'updated_at'>

export async function insertCustodyGroup(tx: Tx, group: NewRow<'fortanix_groups'>): Promise<void> {
  await tx.insertInto('fortanix_groups').values(group).execute()
}

const groups = (db: Db, orgId: string) =>
  db
    .selectFrom('fortanix_groups as f')
    .innerJoin('groups as g', (join) => join.onRef('g.org_id', '=', 'f.org_id').onRef('g.id', '=', 'f.group_id'))
    .selectAll('f')
    .select(['g.name', 'g.description', 'g.created_at', 'g.updated_at'])
    .where('f.org_id', '=', orgId)
    .where('g.deleted_at', 'is', null)

export async function findCustodyGroup(db: Db, orgId: string, id: string): Promise<CustodyGroupRow | undefined> {
  return await groups(db, orgId).where('f.group_id', '=', id).executeTakeFirst()
}

/** One that was just written. */
export async function readBack(tx: Tx, orgId: string, id: string): Promise<CustodyGroupRow> {
  return await groups(tx, orgId).where('f.group_id', '=', id).executeTakeFirstOrThrow()
}

/** As `findCustodyGroup`, and holds up whoever changes the group or its members until the transaction ends. */
export async function lockCustodyGroup(tx: Tx, orgId: string, id: string): Promise<CustodyGroupRow | undefined> {
  return await groups(tx, orgId).where('f.group_id', '=', id).forNoKeyUpdate().executeTakeFirst()
}

/** Those of `ids` that there are. */
export async function findCustodyGroups(db: Db, orgId: string, ids: readonly string[]): Promise<CustodyGroupRow[]> {
  return await groups(db, orgId)
    .where('f.group_id', '=', sql<string>`any(${ids}::uuid[])`)
    .orderBy('f.group_id')
    .execute()
}

/** As `findCustodyGroups`, and holds up whoever changes one of them until the transaction ends, and nobody who only reads. */
export async function shareCustodyGroups(tx: Tx, orgId: string, ids: readonly string[]): Promise<CustodyGroupRow[]> {
  return await groups(tx, orgId)
    .where('f.group_id', '=', sql<string>`any(${ids}::uuid[])`)
    .orderBy('f.group_id')
    .forShare('f')
    .execute()
}

/** Which part of a list, and in which order. */
export interface CustodyGroupSlice {
  readonly sortKey: 'id' | 'name'
  /** Only those after this id or name. */
  readonly after: string | null
  readonly isDescending: boolean
  readonly limit: number
  readonly offset: number
}

/** @param among null for all of the account */
export async function listCustodyGroups(
  db: Db,
  orgId: string,
  among: readonly string[] | null,
  { sortKey, after, isDescending, limit, offset }: CustodyGroupSlice,
): Promise<CustodyGroupRow[]> {
  const column = sortKey === 'name' ? 'g.name' : 'f.group_id'
  const order = isDescending ? 'desc' : 'asc'
  return await groups(db, orgId)
    .$if(among !== null, (query) => query.where('f.group_id', '=', sql<string>`any(${among}::uuid[])`))
    .$if(after !== null, (query) => query.where(column, isDescending ? '<' : '>', after ?? ''))
    .orderBy(column, order)
    .orderBy('f.group_id', order)
    .limit(limit)
    .offset(offset)
    .execute()
}

/** What may be changed of a group beside its name. */
export type CustodyGroupChange = Pick<
  NewRow<'fortanix_groups'>,
  'policy' | 'protects' | 'protects_manage' | 'protects_crypto'
>

export async function updateCustodyGroup(tx: Tx, orgId: string, id: string, change: CustodyGroupChange): Promise<void> {
  await tx.updateTable('fortanix_groups').set(change).where('org_id', '=', orgId).where('group_id', '=', id).execute()
}

/** Name and description. */
export async function updateGroupText(
  tx: Tx,
  orgId: string,
  id: string,
  text: { readonly name: string; readonly description: string | null },
  at: Date,
): Promise<void> {
  await tx
    .updateTable('groups')
    .set({ ...text, updated_at: at, row_version: sql<string>`row_version + 1` })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute()
}

export async function holdsKeys(tx: Tx, orgId: string, groupId: string): Promise<boolean> {
  const { rows } = await sql`
    select from fortanix_keys where org_id = ${orgId} and group_id = ${groupId} limit 1`.execute(tx)
  return rows.length > 0
}

export async function deleteAppGroupsOf(tx: Tx, orgId: string, groupId: string): Promise<void> {
  await tx.deleteFrom('fortanix_app_groups').where('org_id', '=', orgId).where('group_id', '=', groupId).execute()
}
