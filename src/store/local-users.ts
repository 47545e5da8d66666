import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

/** A person without an address, who signs in by name and password. */
export async function insertPersonWithoutEmail(tx: Tx, id: string, at: Date): Promise<void> {
  await tx.insertInto('people').values({ id, email: null, created_at: at }).execute()
}

export async function insertLocalUser(tx: Tx, user: NewRow<'privx_users'>): Promise<void> {
  await tx.insertInto('privx_users').values(user).execute()
}

/** The user's row, and holds up every other change of them until the transaction ends. */
export async function lockLocalUser(tx: Tx, orgId: string, id: string): Promise<Row<'privx_users'> | undefined> {
  return await tx
    .selectFrom('privx_users')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('principal_id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

export interface LocalUserColumns {
  readonly username: string
  readonly full_name: string
  /** As JSON. */
  readonly attributes: string
  readonly updated_at: Date
  readonly updated_by: string
}

export async function updateLocalUser(tx: Tx, orgId: string, id: string, columns: LocalUserColumns): Promise<void> {
  await tx.updateTable('privx_users').set(columns).where('org_id', '=', orgId).where('principal_id', '=', id).execute()
}

export async function deleteLocalUser(tx: Tx, orgId: string, id: string): Promise<void> {
  await tx.deleteFrom('privx_users').where('org_id', '=', orgId).where('principal_id', '=', id).execute()
}

/** How a principal is shown. */
export async function updatePrincipalName(
  tx: Tx,
  orgId: string,
  id: string,
  shown: { readonly name: string; readonly email?: string | null },
): Promise<void> {
  await tx.updateTable('principals').set(shown).where('org_id', '=', orgId).where('id', '=', id).execute()
}

/** Shuts a principal out for good; the row stays, for the name. */
export async function disablePrincipal(tx: Tx, orgId: string, id: string, at: Date): Promise<void> {
  await tx
    .updateTable('principals')
    .set({ disabled_at: at })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .execute()
}

/** Whether a person signed in by name and password until they were removed. */
export async function isRemovedLocalUser(db: Db, orgId: string, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('principals as a')
    .innerJoin('people as p', 'p.id', 'a.person_id')
    .leftJoin('privx_users as u', (join) =>
      join.onRef('u.org_id', '=', 'a.org_id').onRef('u.principal_id', '=', 'a.id'),
    )
    .select('a.id')
    .where('a.org_id', '=', orgId)
    .where('a.id', '=', id)
    .where('p.email', 'is', null)
    .where('u.principal_id', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}
