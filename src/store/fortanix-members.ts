import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

export type MemberRow = Row<'fortanix_members'>
export type MemberRole = MemberRow['role']

export async function insertMember(tx: Tx, member: NewRow<'fortanix_members'>): Promise<void> {
  await tx.insertInto('fortanix_members').values(member).execute()
}

export async function findMember(db: Db, orgId: string, personId: string): Promise<MemberRow | undefined> {
  return await member(db, orgId, personId).executeTakeFirst()
}

/** As `findMember`, with whether the organization has disabled them, by whichever of its APIs. */
export async function findActingMember(
  db: Db,
  orgId: string,
  personId: string,
): Promise<(MemberRow & { readonly is_shut_out: boolean }) | undefined> {
  return await db
    .selectFrom('fortanix_members as m')
    .leftJoin('principals as a', (join) => join.onRef('a.org_id', '=', 'm.org_id').onRef('a.id', '=', 'm.principal_id'))
    .selectAll('m')
    .select(sql<boolean>`a.disabled_at is not null`.as('is_shut_out'))
    .where('m.org_id', '=', orgId)
    .where('m.person_id', '=', personId)
    .executeTakeFirst()
}

/** Whether somebody administers the account now. */
export async function administersAccount(db: Db, orgId: string, personId: string): Promise<boolean> {
  const found = await findActingMember(db, orgId, personId)
  return found?.role === 'administrator' && found.state === 'joined' && found.is_enabled && !found.is_shut_out
}

/** Holds up every other change of the membership until the transaction ends. */
export async function lockMember(tx: Tx, orgId: string, personId: string): Promise<MemberRow | undefined> {
  return await member(tx, orgId, personId).forUpdate().executeTakeFirst()
}

const member = (db: Db, orgId: string, personId: string) =>
  db.selectFrom('fortanix_members').selectAll().where('org_id', '=', orgId).where('person_id', '=', personId)

/** What may be changed of a membership. */
export type MemberChange = Partial<Pick<MemberRow, 'role' | 'is_enabled' | 'state' | 'principal_id'>> & {
  readonly updated_at: Date
}

export async function updateMember(tx: Tx, orgId: string, personId: string, change: MemberChange): Promise<void> {
  await tx
    .updateTable('fortanix_members')
    .set(change)
    .where('org_id', '=', orgId)
    .where('person_id', '=', personId)
    .execute()
}

export async function deleteMember(tx: Tx, orgId: string, personId: string): Promise<void> {
  await tx.deleteFrom('fortanix_members').where('org_id', '=', orgId).where('person_id', '=', personId).execute()
}

/** Administrators of the account who may act, but for one person. */
export async function countOtherAdministrators(tx: Tx, orgId: string, personId: string): Promise<number> {
  const { total } = await tx
    .selectFrom('fortanix_members')
    .select((select) => select.fn.countAll<string>().as('total'))
    .where('org_id', '=', orgId)
    .where('person_id', '!=', personId)
    .where('role', '=', 'administrator')
    .where('state', '=', 'joined')
    .where('is_enabled', '=', true)
    .executeTakeFirstOrThrow()
  return Number(total)
}

export async function findMembershipsOf(db: Db, personId: string): Promise<MemberRow[]> {
  return await db
    .selectFrom('fortanix_members')
    .selectAll()
    .where('person_id', '=', personId)
    .orderBy('created_at')
    .orderBy('org_id')
    .execute()
}

/** Those of these people who may approve in the account: enabled, verified, and more than an auditor. */
export async function findApproversAmong(
  db: Db,
  orgId: string,
  ids: readonly string[],
): Promise<{ personId: string; principalId: string }[]> {
  const { rows } = await sql<{ personId: string; principalId: string }>`
    select m.person_id as "personId", m.principal_id as "principalId"
    from fortanix_members m join fortanix_users u on u.person_id = m.person_id
    where m.org_id = ${orgId} and m.person_id = any (${ids}::uuid[]) and m.state = 'joined' and m.is_enabled
      and m.role <> 'auditor' and m.principal_id is not null and u.verified_at is not null`.execute(db)
  return rows
}

export interface UserSlice {
  readonly groupId: string | null
  /** Only this one. */
  readonly personId: string | null
  /** Only those after this id. */
  readonly after: string | null
  readonly isDescending: boolean
  readonly limit: number
  readonly offset: number
}

/** A person as the account knows them. */
export interface AccountUserRow {
  readonly person_id: string
  readonly email: string | null
  readonly first_name: string | null
  readonly last_name: string | null
  readonly verified_at: Date | null
  readonly created_at: Date
  readonly principal_id: string | null
  readonly role: MemberRole
  readonly is_enabled: boolean
  readonly state: MemberRow['state']
}

/** By id. */
export async function listAccountUsers(db: Db, orgId: string, slice: UserSlice): Promise<AccountUserRow[]> {
  const { groupId, personId, after, isDescending, limit, offset } = slice
  return await db
    .selectFrom('fortanix_members as m')
    .innerJoin('people as p', 'p.id', 'm.person_id')
    .leftJoin('fortanix_users as u', 'u.person_id', 'm.person_id')
    .select(['m.person_id', 'p.email', 'u.first_name', 'u.last_name', 'u.verified_at', 'p.created_at'])
    .select(['m.principal_id', 'm.role', 'm.is_enabled', 'm.state'])
    .where('m.org_id', '=', orgId)
    .$if(personId !== null, (query) => query.where('m.person_id', '=', personId ?? ''))
    .$if(groupId !== null, (query) =>
      query.where(sql<boolean>`exists (select 1 from memberships x where x.org_id = m.org_id
        and x.group_id = ${groupId} and x.principal_id = m.principal_id)`),
    )
    .$if(after !== null, (query) => query.where('m.person_id', isDescending ? '<' : '>', after ?? ''))
    .orderBy('m.person_id', isDescending ? 'desc' : 'asc')
    .limit(limit)
    .offset(offset)
    .execute()
}

/** The groups of this dialect that each principal is in. */
export async function findGroupsOfPrincipals(
  db: Db,
  orgId: string,
  ids: readonly string[],
): Promise<Map<string, string[]>> {
  const rows = await db
    .selectFrom('memberships as m')
    .innerJoin('groups as g', (join) => join.onRef('g.org_id', '=', 'm.org_id').onRef('g.id', '=', 'm.group_id'))
    .select(['m.principal_id', 'm.group_id'])
    .where('m.org_id', '=', orgId)
    .where('m.principal_id', '=', sql<string>`any(${ids}::uuid[])`)
    .where('g.dialect', '=', 'fortanix')
    .where('g.deleted_at', 'is', null)
    .orderBy('m.group_id')
    .execute()
  return new Map(ids.map((id) => [id, rows.filter((row) => row.principal_id === id).map((row) => row.group_id)]))
}
