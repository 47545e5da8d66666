import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

export async function findSettingsRow(db: Db, orgId: string): Promise<Row<'privx_settings'> | undefined> {
  return await db.selectFrom('privx_settings').selectAll().where('org_id', '=', orgId).executeTakeFirst()
}

export async function writeSettings(tx: Tx, row: NewRow<'privx_settings'>): Promise<void> {
  const { org_id: _, id: _id, ...values } = row
  await tx
    .insertInto('privx_settings')
    .values(row)
    .onConflict((conflict) => conflict.columns(['org_id', 'id']).doUpdateSet(values))
    .execute()
}
