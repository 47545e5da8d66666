import type { TermsColumns } from './grants.ts'
import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

export type RequestGrantRow = Row<'request_grants'>

export async function insertRequestGrant(tx: Tx, grant: NewRow<'request_grants'>): Promise<void> {
  await tx.insertInto('request_grants').values(grant).execute()
}

/** What an approval of the request does to a role. Whoever changes it has locked the request's row. */
export async function findRequestGrant(db: Db, orgId: string, requestId: string): Promise<RequestGrantRow | undefined> {
  return await db
    .selectFrom('request_grants')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('request_id', '=', requestId)
    .executeTakeFirst()
}

export type RequestGrantChange = TermsColumns | Pick<RequestGrantRow, 'grant_id'> | Revocation
type Revocation = Pick<RequestGrantRow, 'revoked_at' | 'revoked_by'>

export async function changeRequestGrant(
  tx: Tx,
  orgId: string,
  requestId: string,
  change: RequestGrantChange,
): Promise<void> {
  await tx
    .updateTable('request_grants')
    .set(change)
    .where('org_id', '=', orgId)
    .where('request_id', '=', requestId)
    .execute()
}
