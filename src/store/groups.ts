import type { Tx } from './open.ts'
import { statement } from './statement.ts'

const eligibleMembers = statement<{ id: string; eligible: number }>(`
  select g.id, (select count(*)::integer from (
    select 1 from memberships m join principals p on p.org_id = m.org_id and p.id = m.principal_id
    where m.org_id = g.org_id and m.group_id = g.id and p.disabled_at is null limit $3
  ) members) as eligible
  from groups g where g.org_id = $1 and g.id = any ($2::uuid[])`)

/** How many members of each group may act, counting no further than `enough`. Groups that do not exist are left out. */
export async function countEligibleMembers(
  tx: Tx,
  orgId: string,
  groupIds: readonly string[],
  enough: number,
): Promise<{ id: string; eligible: number }[]> {
  return await eligibleMembers(tx, [orgId, groupIds, enough])
}
