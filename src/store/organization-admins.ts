import type { Db, Tx } from './open.ts'
import { offsetOf, type Page } from './page.ts'

export interface AdminRow {
  principal_id: string
  email: string
  created_at: Date
}

export async function isOrganizationNamed(db: Db, orgId: string, name: string): Promise<boolean> {
  const row = await db
    .selectFrom('organizations')
    .select('id')
    .where('id', '=', orgId)
    .where('name', '=', name)
    .executeTakeFirst()
  return row !== undefined
}

/** Everyone who takes admins away holds this lock, so that two of them cannot each leave the other's as the last. */
export async function lockOrganization(tx: Tx, orgId: string): Promise<void> {
  await tx.selectFrom('organizations').select('id').where('id', '=', orgId).forNoKeyUpdate().execute()
}

/** Oldest first. */
export async function listAdmins(db: Db, orgId: string, page: Page): Promise<AdminRow[]> {
  return await db
    .selectFrom('organization_admins')
    .select(['principal_id', 'email', 'created_at'])
    .where('org_id', '=', orgId)
    .orderBy('created_at')
    .orderBy('id')
    .limit(page.limit)
    .offset(offsetOf(page))
    .execute()
}

export async function countAdmins(db: Db, orgId: string): Promise<number> {
  const { total } = await db
    .selectFrom('organization_admins')
    .select((select) => select.fn.countAll<string>().as('total'))
    .where('org_id', '=', orgId)
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** True when they were an admin. */
export async function deleteAdmin(tx: Tx, orgId: string, principalId: string): Promise<boolean> {
  const deleted = await tx
    .deleteFrom('organization_admins')
    .where('org_id', '=', orgId)
    .where('principal_id', '=', principalId)
    .returning('id')
    .executeTakeFirst()
  return deleted !== undefined
}

/** Whether anyone who can act is an admin. */
export async function hasAdmin(db: Db, orgId: string): Promise<boolean> {
  const row = await db
    .selectFrom('organization_admins as o')
    .innerJoin('principals as a', (join) =>
      join.onRef('a.org_id', '=', 'o.org_id').onRef('a.id', '=', 'o.principal_id'),
    )
    .select('o.id')
    .where('o.org_id', '=', orgId)
    .where('a.disabled_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
