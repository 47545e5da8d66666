import type { Db } from './open.ts'
import type { NewRow } from './schema.ts'

/** True when the organization was not there before. */
export async function insertOrganization(db: Db, organization: NewRow<'organizations'>): Promise<boolean> {
  const inserted = await db
    .insertInto('organizations')
    .values(organization)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted !== undefined
}
