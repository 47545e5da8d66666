import { sql } from 'kysely'
import type { Status } from '../kernel/request.ts'
import type { Tx } from './open.ts'
import type { Row } from './schema.ts'
import { statement } from './statement.ts'

/** Locks the next open requests of a policy, oldest first, from behind `after` on. */
export async function lockOpenRequests(
  tx: Tx,
  orgId: string,
  policyId: string,
  limit: number,
  after: { readonly createdAt: string; readonly id: string } | null,
): Promise<Row<'requests'>[]> {
  const open = tx
    .selectFrom('requests')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('policy_id', '=', policyId)
    .where('is_final', '=', false)
  // Past what is done already: the index still holds its entries, and reading over them would make this quadratic.
  const rest =
    after === null
      ? open
      : open.where(sql<boolean>`(created_at, id) > (${after.createdAt}::timestamptz, ${after.id}::uuid)`)
  return await rest.orderBy('created_at').orderBy('id').limit(limit).forUpdate().execute()
}

export interface ClosedRequest {
  readonly id: string
  readonly status: Status
  readonly at: Date
  readonly leaf: { readonly kind: string; readonly content: string }
}

const writeStatement = statement(`
  with leaves as (
    insert into audit_leaves (org_id, kind, subject_id, content, created_at)
    select $1, kind, id, content, at
    from unnest($3::uuid[], $5::timestamptz[], $6::text[], $7::text[]) leaf (id, at, kind, content)
  ), counts as (
    insert into request_counts (org_id, policy_id, is_final, difference)
    select $1, $2, sign > 0, sign * cardinality($3::uuid[]) from unnest('{-1,1}'::bigint[]) sign
  )
  update requests r set status = closed.status, is_final = true, updated_at = closed.at
  from unnest($3::uuid[], $4::text[], $5::timestamptz[]) closed (id, status, at) where r.org_id = $1 and r.id = closed.id`)

/** Writes the end of many requests of one policy, with the leaf of each, in one statement. */
export async function writeClosedRequests(
  tx: Tx,
  orgId: string,
  policyId: string,
  closed: readonly ClosedRequest[],
): Promise<void> {
  await writeStatement(tx, [
    orgId,
    policyId,
    closed.map(({ id }) => id),
    closed.map(({ status }) => status),
    closed.map(({ at }) => at.toISOString()),
    closed.map(({ leaf }) => leaf.kind),
    closed.map(({ leaf }) => leaf.content),
  ])
}
