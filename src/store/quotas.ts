import type { Tx } from './open.ts'
import { statement } from './statement.ts'

export type QuotaType =
  | 'MAX_GROUPS'
  | 'MAX_SPACES'
  | 'MAX_WORKFLOW_TEMPLATES_PER_SPACE'
  | 'MAX_CONCURRENT_WORKFLOWS'
  | 'MAX_ENTITIES_PER_GROUP'
  | 'MAX_ROLES_PER_USER'
  | 'MAX_VOTES_PER_WORKFLOW'

export type QuotaScope = 'Org' | 'Space' | 'WorkflowTemplate' | 'Workflow' | 'Group' | 'User'

/** Something below the organization that a quota may be set on. */
export interface QuotaTarget {
  readonly scope: Exclude<QuotaScope, 'Org'>
  readonly id: string
}

// The row lock keeps two calls that each have room for one from both taking it. Without a quota there is no row to lock.
const nearestStatement = statement<{ limit: string }>(`
  select q."limit" from quotas q
  where q.org_id = $1 and q.quota_type = $2
    and (q.scope = 'Org' or (q.scope, q.target_id) in (select t.scope, t.id from unnest($3::text[], $4::uuid[]) t (scope, id)))
  order by array_position($3::text[], q.scope) nulls last
  limit 1 for update of q`)

/** The quota that holds here: the nearest of `targets`, else the organization's. Locked until the transaction ends. */
export async function lockNearestQuota(
  tx: Tx,
  orgId: string,
  quotaType: QuotaType,
  targets: readonly QuotaTarget[],
): Promise<number | null> {
  const scopes = targets.map((target) => target.scope)
  const ids = targets.map((target) => target.id)
  const [row] = await nearestStatement(tx, [orgId, quotaType, scopes, ids])
  return row === undefined ? null : Number(row.limit)
}
