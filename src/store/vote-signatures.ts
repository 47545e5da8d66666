import type { Tx } from './open.ts'
import { statement } from './statement.ts'

const lastOf = statement<{ signature: string }>(`
  select signature from votes
  where org_id = $1 and request_id = $2 and stage = any (array(select generate_series(0, $3::smallint)))
    and principal_id = $4 and signature is not null
  order by seq desc limit 1`)

/** What a principal signed last of a request whose open stage is this. */
export async function findLastSignature(
  tx: Tx,
  orgId: string,
  requestId: string,
  stage: number,
  principalId: string,
): Promise<string | undefined> {
  return (await lastOf(tx, [orgId, requestId, stage, principalId]))[0]?.signature
}
