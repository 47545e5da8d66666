import { sql, type RawBuilder } from 'kysely'
import type { Db, Tx } from './open.ts'
import { offsetOf, type Page } from './page.ts'
import type { PrincipalKind } from './schema.ts'

/** SQL for whether membership `alias` is in force at the instant `now`, a parameter. */
export const inForceText = (alias: string, now: string): string =>
  `(${alias}.starts_at is null or ${alias}.starts_at <= ${now}) and (${alias}.ends_at is null or ${alias}.ends_at > ${now})`

/** The same as a part of a query that is built. */
export const isInForce = (alias: string, now: Date): RawBuilder<boolean> => {
  const [startsAt, endsAt] = [sql.ref(`${alias}.starts_at`), sql.ref(`${alias}.ends_at`)]
  return sql<boolean>`(${startsAt} is null or ${startsAt} <= ${now}) and (${endsAt} is null or ${endsAt} > ${now})`
}

export interface MemberRow {
  principal_id: string
  kind: PrincipalKind
  added_at: Date
}

/** In the order they were added. */
export async function listMembers(db: Db, orgId: string, groupId: string, page: Page): Promise<MemberRow[]> {
  return await db
    .selectFrom('memberships as m')
    .innerJoin('principals as a', (join) =>
      join.onRef('a.org_id', '=', 'm.org_id').onRef('a.id', '=', 'm.principal_id'),
    )
    .select(['m.principal_id', 'a.kind', 'm.added_at'])
    .where('m.org_id', '=', orgId)
    .where('m.group_id', '=', groupId)
    .orderBy('m.added_at')
    .orderBy('m.principal_id')
    .limit(page.limit)
    .offset(offsetOf(page))
    .execute()
}

export async function isMember(db: Db, orgId: string, groupId: string, principalId: string): Promise<boolean> {
  const row = await db
    .selectFrom('memberships')
    .select('principal_id')
    .where('org_id', '=', orgId)
    .where('group_id', '=', groupId)
    .where('principal_id', '=', principalId)
    .executeTakeFirst()
  return row !== undefined
}

/** Those of `ids` that are members, with what they are. */
export async function findMembersAmong(
  db: Db,
  orgId: string,
  groupId: string,
  ids: readonly string[],
): Promise<{ id: string; kind: PrincipalKind }[]> {
  return await db
    .selectFrom('memberships as m')
    .innerJoin('principals as a', (join) =>
      join.onRef('a.org_id', '=', 'm.org_id').onRef('a.id', '=', 'm.principal_id'),
    )
    .select(['a.id', 'a.kind'])
    .where('m.org_id', '=', orgId)
    .where('m.group_id', '=', groupId)
    .where('m.principal_id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
}

/** Those of `ids` that are principals of the organization, with what they are. */
export async function findPrincipalsAmong(
  db: Db,
  orgId: string,
  ids: readonly string[],
): Promise<{ id: string; kind: PrincipalKind }[]> {
  return await db
    .selectFrom('principals')
    .select(['id', 'kind'])
    .where('org_id', '=', orgId)
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
}

/** Humans among the members who hold one of `roleNames` on the group itself, and are not disabled. */
export async function findManagingMembers(
  tx: Tx,
  orgId: string,
  groupId: string,
  roleNames: readonly string[],
): Promise<string[]> {
  const rows = await tx
    .selectFrom('memberships as m')
    .innerJoin('principals as a', (join) =>
      join.onRef('a.org_id', '=', 'm.org_id').onRef('a.id', '=', 'm.principal_id'),
    )
    .innerJoin('role_bindings as b', (join) =>
      join.onRef('b.org_id', '=', 'm.org_id').onRef('b.principal_id', '=', 'm.principal_id'),
    )
    .select('m.principal_id')
    .distinct()
    .where('m.org_id', '=', orgId)
    .where('m.group_id', '=', groupId)
    .where('a.kind', '=', 'human')
    .where('a.disabled_at', 'is', null)
    .where('b.scope_type', '=', 'group')
    .where('b.scope_id', '=', groupId)
    .where('b.role_name', '=', sql<string>`any(${roleNames}::text[])`)
    .execute()
  return rows.map((row) => row.principal_id)
}

export async function insertMemberships(
  tx: Tx,
  orgId: string,
  groupId: string,
  ids: readonly string[],
  at: Date,
): Promise<void> {
  await tx
    .insertInto('memberships')
    .columns(['org_id', 'group_id', 'principal_id', 'added_at'])
    .expression(sql`select ${orgId}::uuid, ${groupId}::uuid, id, ${at}::timestamptz from unnest(${ids}::uuid[]) id`)
    .execute()
}

export async function deleteMemberships(tx: Tx, orgId: string, groupId: string, ids: readonly string[]): Promise<void> {
  await tx
    .deleteFrom('memberships')
    .where('org_id', '=', orgId)
    .where('group_id', '=', groupId)
    .where('principal_id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
}
