import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { KeyKind } from './schema-custody.ts'
import type { NewRow, Row } from './schema.ts'

export type KeyRow = Row<'fortanix_keys'>

/** A key is named by its id or by its name. */
export type KeyName = { readonly id: string } | { readonly name: string }

const keys = (db: Db, orgId: string) => db.selectFrom('fortanix_keys').selectAll().where('org_id', '=', orgId)

const named = (db: Db, orgId: string, name: KeyName) =>
  'id' in name ? keys(db, orgId).where('id', '=', name.id) : keys(db, orgId).where('name', '=', name.name)

export async function findKey(db: Db, orgId: string, name: KeyName): Promise<KeyRow | undefined> {
  return await named(db, orgId, name).executeTakeFirst()
}

/** As `findKey`, and holds up every other use and change of the key until the transaction ends. */
export async function lockKey(tx: Tx, orgId: string, name: KeyName): Promise<KeyRow | undefined> {
  return await named(tx, orgId, name).forUpdate().executeTakeFirst()
}

/** Counts one more use, and gives the key as it is from now until the transaction ends. */
export async function useKey(tx: Tx, orgId: string, name: KeyName, at: Date): Promise<KeyRow | undefined> {
  const [column, value] = 'id' in name ? (['id', name.id] as const) : (['name', name.name] as const)
  return await tx
    .updateTable('fortanix_keys')
    .set({ used: sql<string>`used + 1`, last_used_at: at })
    .where('org_id', '=', orgId)
    .where(column, '=', value)
    .returningAll()
    .executeTakeFirst()
}

export async function insertKey(tx: Tx, key: NewRow<'fortanix_keys'>): Promise<void> {
  await tx.insertInto('fortanix_keys').values(key).execute()
}

/** What may be changed of a key. */
export type KeyChange = Partial<
  Pick<KeyRow, 'name' | 'description' | 'group_id' | 'operations' | 'is_enabled' | 'state' | 'material' | 'public_key'>
> & { readonly updated_at: Date }

export async function updateKey(tx: Tx, orgId: string, id: string, change: KeyChange): Promise<KeyRow> {
  return await tx
    .updateTable('fortanix_keys')
    .set(change)
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function deleteKey(tx: Tx, orgId: string, id: string): Promise<void> {
  await tx.deleteFrom('fortanix_keys').where('org_id', '=', orgId).where('id', '=', id).execute()
}

export interface KeySlice {
  readonly groupId: string | null
  readonly name: string | null
  readonly kind: KeyKind | null
  /** Those too of which nothing but that they were is left. */
  readonly withDestroyed: boolean
  readonly sortKey: 'id' | 'name'
  readonly isDescending: boolean
  /** Only those after this id or name. */
  readonly after: string | null
  readonly limit: number
  readonly offset: number
}

/** @param among only keys of these groups; null for all of the account */
export async function listKeys(
  db: Db,
  orgId: string,
  among: readonly string[] | null,
  { groupId, name, kind, withDestroyed, sortKey, isDescending, after, limit, offset }: KeySlice,
): Promise<KeyRow[]> {
  return await keys(db, orgId)
    .$if(among !== null, (query) => query.where('group_id', '=', sql<string>`any(${among}::uuid[])`))
    .$if(groupId !== null, (query) => query.where('group_id', '=', groupId ?? ''))
    .$if(name !== null, (query) => query.where('name', '=', name ?? ''))
    .$if(kind !== null, (query) => query.where('kind', '=', kind ?? 'AES'))
    .$if(!withDestroyed, (query) => query.where('state', '!=', 'Destroyed'))
    .$if(after !== null, (query) => query.where(sortKey, isDescending ? '<' : '>', after ?? ''))
    .orderBy(sortKey, isDescending ? 'desc' : 'asc')
    .limit(limit)
    .offset(offset)
    .execute()
}
