import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { RoleBinding } from './principals.ts'
import type { PrincipalKind } from './schema.ts'
import { statement } from './statement.ts'

/** Locks the principal whose roles are about to change. */
export async function lockRoleHolder(
  tx: Tx,
  orgId: string,
  kind: PrincipalKind,
  id: string,
): Promise<{ row_version: string } | undefined> {
  return await tx
    .selectFrom('principals')
    .select('row_version')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('kind', '=', kind)
    .forNoKeyUpdate()
    .executeTakeFirst()
}

/** Counts one write of the principal, so that whoever read it before is found out (contract §2.9). */
export async function bumpRowVersion(tx: Tx, orgId: string, id: string): Promise<void> {
  await tx
    .updateTable('principals')
    .set({ row_version: sql`row_version + 1` })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute()
}

export async function findRoleBindings(db: Db, orgId: string, principalId: string): Promise<RoleBinding[]> {
  return await db
    .selectFrom('role_bindings')
    .select(['role_name as roleName', 'scope_type as scopeType', 'scope_id as scopeId'])
    .where('org_id', '=', orgId)
    .where('principal_id', '=', principalId)
    .execute()
}

export async function insertRoleBindings(
  tx: Tx,
  orgId: string,
  principalId: string,
  bindings: readonly RoleBinding[],
  at: Date,
): Promise<void> {
  await tx
    .insertInto('role_bindings')
    .columns(['org_id', 'principal_id', 'role_name', 'scope_type', 'scope_id', 'created_at'])
    .expression(
      sql`select ${orgId}::uuid, ${principalId}::uuid, b.role_name, b.scope_type, b.scope_id, ${at}::timestamptz
        from ${unnested(bindings)}`,
    )
    .execute()
}

export async function deleteRoleBindings(
  tx: Tx,
  orgId: string,
  principalId: string,
  bindings: readonly RoleBinding[],
): Promise<void> {
  await tx
    .deleteFrom('role_bindings')
    .where('org_id', '=', orgId)
    .where('principal_id', '=', principalId)
    .where(
      sql<boolean>`(role_name, scope_type, scope_id) in (select b.role_name, b.scope_type, b.scope_id from ${unnested(bindings)})`,
    )
    .execute()
}

const unnested = (
  bindings: readonly RoleBinding[],
) => sql`unnest(${bindings.map((binding) => binding.roleName)}::text[],
  ${bindings.map((binding) => binding.scopeType)}::text[], ${bindings.map((binding) => binding.scopeId)}::text[])
  as b (role_name, scope_type, scope_id)`

const deleteScopesStatement = statement<{ principal_id: string }>(`
  with gone as (
    delete from role_bindings b using unnest($2::text[], $3::text[]) scope (type, id)
    where b.org_id = $1 and b.scope_type = scope.type and b.scope_id = scope.id returning b.principal_id
  ), written as (
    update principals set row_version = row_version + 1
    where org_id = $1 and id in (select principal_id from gone)
  )
  select principal_id from gone`)

/** Takes away every role at scopes that cease to exist; gives how many there were. Call `lockFacts` first. */
export async function deleteScopes(
  tx: Tx,
  orgId: string,
  scopes: readonly Pick<RoleBinding, 'scopeType' | 'scopeId'>[],
): Promise<number> {
  const types = scopes.map((scope) => scope.scopeType)
  const ids = scopes.map((scope) => scope.scopeId)
  return (await deleteScopesStatement(tx, [orgId, types, ids])).length
}

export interface TemplatePlace {
  id: string
  name: string
  space_id: string | null
}

/** Where the templates lie that a role's scope names, by the name or by the id of any version; newer versions come later. */
export async function findTemplatePlaces(
  db: Db,
  orgId: string,
  names: readonly string[],
  ids: readonly string[],
): Promise<TemplatePlace[]> {
  return await db
    .selectFrom('policies')
    .select(['id', 'name', 'space_id'])
    .where('org_id', '=', orgId)
    .where('dialect', '=', 'native')
    .where((or) =>
      or.or([or('name', '=', sql<string>`any(${names}::text[])`), or('id', '=', sql<string>`any(${ids}::uuid[])`)]),
    )
    .orderBy('version')
    .execute()
}
