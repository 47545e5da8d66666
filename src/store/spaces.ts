import type { Tx } from './open.ts'
import type { Row } from './schema.ts'

/** Locks a space against its deletion, and against another transaction that counts what is in it. */
export async function lockSpace(tx: Tx, orgId: string, spaceId: string): Promise<Row<'spaces'> | undefined> {
  return await tx
    .selectFrom('spaces')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', spaceId)
    .forNoKeyUpdate()
    .executeTakeFirst()
}
