import type { Db, Tx } from './open.ts'
import type { NewRow } from './schema.ts'

/** The one that every store has from the start. */
export const defaultOrganizationId = '00000000-0000-7000-8000-000000000000'

/**
 * False when an organization of this id or name is there already. Neither is singled out: where servers make the same one at
 * once, PostgreSQL passes over a conflict with the one and may still fail on the other.
 */
export async function insertOrganization(db: Db, organization: NewRow<'organizations'>): Promise<boolean> {
  const inserted = await db
    .insertInto('organizations')
    .values(organization)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted !== undefined
}

/** Lets one transaction at a time decide about the organization as a whole. Whatever only refers to it does not wait. */
export async function lockOrganization(tx: Tx, orgId: string): Promise<void> {
  await tx.selectFrom('organizations').select('id').where('id', '=', orgId).forNoKeyUpdate().executeTakeFirst()
}
