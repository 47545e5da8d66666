import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

export type GrantRow = Row<'grants'>

/** What a grant stands on now: the first use of a floating one changes it. */
export type TermsColumns = Pick<GrantRow, 'kind' | 'starts_at' | 'ends_at' | 'floating_hours'>

export async function insertGrant(tx: Tx, grant: NewRow<'grants'>): Promise<void> {
  await tx.insertInto('grants').values(grant).execute()
}

/** A grant with the name of its role. */
export type NamedGrantRow = GrantRow & { readonly group_name: string }

const named = (db: Db, orgId: string) =>
  db
    .selectFrom('grants as g')
    .innerJoin('groups as r', (join) => join.onRef('r.org_id', '=', 'g.org_id').onRef('r.id', '=', 'g.group_id'))
    .selectAll('g')
    .select('r.name as group_name')
    .where('g.org_id', '=', orgId)

/** Those of a principal that have not ended, by the name of the role. */
export async function listStandingGrants(db: Db, orgId: string, principalId: string): Promise<NamedGrantRow[]> {
  return await named(db, orgId)
    .where('g.principal_id', '=', principalId)
    .where('g.ended_at', 'is', null)
    .orderBy('r.name')
    .orderBy('g.id')
    .execute()
}

export async function findGrant(db: Db, orgId: string, id: string): Promise<NamedGrantRow | undefined> {
  return await named(db, orgId).where('g.id', '=', id).executeTakeFirst()
}

/** The one grant of a role that stands for a principal. */
export async function findStandingGrant(
  db: Db,
  orgId: string,
  principalId: string,
  groupId: string,
): Promise<GrantRow | undefined> {
  return await db
    .selectFrom('grants')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('principal_id', '=', principalId)
    .where('group_id', '=', groupId)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
}

/** The grant, unless it has ended; nobody else ends or uses it until the transaction ends. */
export async function lockStandingGrant(tx: Tx, orgId: string, id: string): Promise<GrantRow | undefined> {
  return await tx
    .selectFrom('grants')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .forUpdate()
    .executeTakeFirst()
}

/** All of a role, or of a principal, that have not ended. */
export async function findStandingGrants(
  db: Db,
  orgId: string,
  of: { readonly groupId: string } | { readonly principalId: string },
): Promise<GrantRow[]> {
  const standing = db.selectFrom('grants').selectAll().where('org_id', '=', orgId).where('ended_at', 'is', null)
  const those =
    'groupId' in of ? standing.where('group_id', '=', of.groupId) : standing.where('principal_id', '=', of.principalId)
  return await those.orderBy('group_id').orderBy('principal_id').execute()
}

/** Writes the end of a grant. False when it had ended. */
export async function closeGrant(tx: Tx, orgId: string, id: string, at: Date, because: string): Promise<boolean> {
  const closed = await tx
    .updateTable('grants')
    .set({ ended_at: at, ended_because: because })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return closed !== undefined
}

/** Writes the terms that the first use of a grant gives it. */
export async function convertGrant(tx: Tx, orgId: string, id: string, terms: TermsColumns, at: Date): Promise<void> {
  await tx
    .updateTable('grants')
    .set({ ...terms, used_at: at })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute()
}

/** Grants whose end is over and on which nothing has written so, in the order in which their roles' rows are taken. */
export async function findDueGrants(db: Db, now: Date, limit: number): Promise<GrantRow[]> {
  const due = db
    .selectFrom('grants')
    .selectAll()
    .where('ended_at', 'is', null)
    .where('ends_at', '<=', now)
    .orderBy('ends_at')
    .limit(limit)
    .as('due')
  return await db.selectFrom(due).selectAll().orderBy('org_id').orderBy('group_id').orderBy('principal_id').execute()
}

/** When the next of all standing grants ends. */
export async function findNextGrantEnd(db: Db): Promise<Date | undefined> {
  const row = await db
    .selectFrom('grants')
    .select('ends_at')
    .where('ended_at', 'is', null)
    .where('ends_at', 'is not', null)
    .orderBy('ends_at')
    .limit(1)
    .executeTakeFirst()
  return row?.ends_at ?? undefined
}

/** Puts a principal into a role, from and until when. */
export async function insertBoundMembership(tx: Tx, membership: Required<NewRow<'memberships'>>): Promise<void> {
  await tx.insertInto('memberships').values(membership).execute()
}

export async function moveMembership(
  tx: Tx,
  orgId: string,
  { group_id, principal_id }: Pick<GrantRow, 'group_id' | 'principal_id'>,
  { starts_at, ends_at }: TermsColumns,
): Promise<void> {
  await tx
    .updateTable('memberships')
    .set({ starts_at, ends_at })
    .where('org_id', '=', orgId)
    .where('group_id', '=', group_id)
    .where('principal_id', '=', principal_id)
    .execute()
}

/** Counts a role's members anew, and holds up every other who does until the transaction ends. */
export async function countRoleMembers(
  tx: Tx,
  orgId: string,
  groupId: string,
  difference: 1 | -1,
): Promise<{ readonly isDeleted: boolean } | undefined> {
  return await tx
    .updateTable('groups')
    .set((set) => ({ member_count: set('member_count', '+', difference) }))
    .where('org_id', '=', orgId)
    .where('id', '=', groupId)
    .returning(sql<boolean>`deleted_at is not null`.as('isDeleted'))
    .executeTakeFirst()
}

/** Whether a principal is there and not disabled. */
export async function isEnabledPrincipal(db: Db, orgId: string, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('principals')
    .select('id')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}
