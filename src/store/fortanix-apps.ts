import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

export type AppRow = Row<'fortanix_apps'>

/** An app by its id, in whichever account, with what its secret is compared by. */
export type AppWithSecret = AppRow & { readonly hash: string | null; readonly sealed: Uint8Array | null }

export async function findAppWithSecret(db: Db, id: string): Promise<AppWithSecret | undefined> {
  return await secrets(db).where('f.principal_id', '=', id).executeTakeFirst()
}

export async function findAppNamed(db: Db, orgId: string, name: string): Promise<AppWithSecret | undefined> {
  return await secrets(db).where('f.org_id', '=', orgId).where('f.name', '=', name).executeTakeFirst()
}

const secrets = (db: Db) =>
  db
    .selectFrom('fortanix_apps as f')
    .innerJoin('credentials as c', (join) =>
      join.onRef('c.org_id', '=', 'f.org_id').onRef('c.principal_id', '=', 'f.principal_id'),
    )
    .selectAll('f')
    .select(['c.hash', 'c.sealed'])
    .where('c.kind', '=', 'client-secret')

export async function insertApp(tx: Tx, app: NewRow<'fortanix_apps'>): Promise<void> {
  await tx.insertInto('fortanix_apps').values(app).execute()
}

/** Holds up every other change of the app until the transaction ends. */
export async function lockApp(tx: Tx, orgId: string, id: string): Promise<AppRow | undefined> {
  return await app(tx, orgId, id).forUpdate().executeTakeFirst()
}

export async function findApp(db: Db, orgId: string, id: string): Promise<AppRow | undefined> {
  return await app(db, orgId, id).executeTakeFirst()
}

const app = (db: Db, orgId: string, id: string) =>
  db.selectFrom('fortanix_apps').selectAll().where('org_id', '=', orgId).where('principal_id', '=', id)

export interface AppSlice {
  readonly groupId: string | null
  /** Only apps that have a group among these; null for all of the account. */
  readonly groupIds: readonly string[] | null
  /** Only this one; null for all. */
  readonly id: string | null
  readonly sortKey: 'id' | 'name'
  /** Only those after this id or name. */
  readonly after: string | null
  readonly isDescending: boolean
  readonly limit: number
  readonly offset: number
}

export async function listApps(db: Db, orgId: string, slice: AppSlice): Promise<AppRow[]> {
  const { groupId, groupIds, id, sortKey, after, isDescending, limit, offset } = slice
  const column = sortKey === 'name' ? 'f.name' : 'f.principal_id'
  return await db
    .selectFrom('fortanix_apps as f')
    .selectAll('f')
    .where('f.org_id', '=', orgId)
    .$if(id !== null, (query) => query.where('f.principal_id', '=', id ?? ''))
    .$if(groupId !== null, (query) => query.where(isInGroups([groupId ?? ''])))
    .$if(groupIds !== null, (query) => query.where(isInGroups(groupIds ?? [])))
    .$if(after !== null, (query) => query.where(column, isDescending ? '<' : '>', after ?? ''))
    .orderBy(column, isDescending ? 'desc' : 'asc')
    .limit(limit)
    .offset(offset)
    .execute()
}

const isInGroups = (ids: readonly string[]) => sql<boolean>`exists (
  select 1 from fortanix_app_groups g
  where g.org_id = f.org_id and g.principal_id = f.principal_id and g.group_id = any (${ids}::uuid[]))`

/** What may be changed of an app. */
export type AppChange = Partial<
  Pick<AppRow, 'name' | 'description' | 'app_type' | 'role' | 'default_group' | 'is_enabled'>
> & { readonly updated_at: Date }

export async function updateApp(tx: Tx, orgId: string, id: string, change: AppChange): Promise<void> {
  await tx.updateTable('fortanix_apps').set(change).where('org_id', '=', orgId).where('principal_id', '=', id).execute()
}

export async function deleteApp(tx: Tx, orgId: string, id: string): Promise<void> {
  await tx.deleteFrom('fortanix_apps').where('org_id', '=', orgId).where('principal_id', '=', id).execute()
}

export interface AppGroup {
  readonly groupId: string
  readonly permissions: readonly string[]
}

/** The groups of each of `ids`, in the order of their ids. */
export async function findGroupsOfApps(
  db: Db,
  orgId: string,
  ids: readonly string[],
): Promise<Map<string, AppGroup[]>> {
  const rows = await db
    .selectFrom('fortanix_app_groups')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('principal_id', '=', sql<string>`any(${ids}::uuid[])`)
    .orderBy('group_id')
    .execute()
  const groups = new Map<string, AppGroup[]>()
  for (const { principal_id: id, group_id: groupId, permissions } of rows) {
    groups.set(id, [...(groups.get(id) ?? []), { groupId, permissions }])
  }
  return groups
}

/** Makes these the groups of the app. */
export async function replaceAppGroups(tx: Tx, orgId: string, id: string, groups: readonly AppGroup[]): Promise<void> {
  await tx.deleteFrom('fortanix_app_groups').where('org_id', '=', orgId).where('principal_id', '=', id).execute()
  if (groups.length === 0) return
  await tx
    .insertInto('fortanix_app_groups')
    .values(
      groups.map(({ groupId, permissions }) => ({
        org_id: orgId,
        principal_id: id,
        group_id: groupId,
        permissions: [...permissions],
      })),
    )
    .execute()
}

/** Those of `ids` that are enabled apps of the account. */
export async function findAppsAmong(db: Db, orgId: string, ids: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('fortanix_apps')
    .select('principal_id')
    .where('org_id', '=', orgId)
    .where('principal_id', '=', sql<string>`any(${ids}::uuid[])`)
    .where('is_enabled', '=', true)
    .execute()
  return rows.map((row) => row.principal_id)
}

/** The policies in force that name an app: whether the account's does, and of which groups. */
export async function findPoliciesNaming(
  tx: Tx,
  orgId: string,
  id: string,
): Promise<{ readonly account: boolean; readonly groups: readonly string[] }> {
  const names = (policy: string) =>
    sql<boolean>`jsonb_path_exists(${sql.ref(policy)}, '$.** ? (@.kind == "app" && @.id == $id)', jsonb_build_object('id', ${id}::text))`
  const accounts = tx
    .selectFrom('fortanix_accounts')
    .select('org_id')
    .where('org_id', '=', orgId)
    .where(names('policy'))
  const groups = tx.selectFrom('fortanix_groups').select('group_id').where('org_id', '=', orgId).where(names('policy'))
  return {
    account: (await accounts.executeTakeFirst()) !== undefined,
    groups: (await groups.orderBy('group_id').execute()).map((row) => row.group_id),
  }
}
