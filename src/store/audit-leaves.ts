import type { Tx } from './open.ts'
import type { NewRow } from './schema.ts'

export async function insertLeaf(tx: Tx, leaf: NewRow<'audit_leaves'>): Promise<void> {
  await tx.insertInto('audit_leaves').values(leaf).execute()
}
