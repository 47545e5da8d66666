import { sql, type RawBuilder } from 'kysely'
import type { Db } from './open.ts'
import type { RequestRow } from './requests.ts'

export interface RequestOrder {
  readonly field: 'created_at' | 'updated_at'
  readonly direction: 'asc' | 'desc'
}

export interface RequestFilter {
  readonly orgId: string
  /** Absent: every policy of the native dialect. */
  readonly policyIds: readonly string[] | null
  readonly onlyOpen: boolean
  readonly now: Date
}

export interface PolicyFilter {
  readonly template: { readonly id: string } | { readonly name: string } | null
  /** Any of these groups is named by the rule. Empty: no filter. */
  readonly groupIds: readonly string[]
}

/** The policies that a list is narrowed to; null when it is not narrowed. */
export async function findPolicyIds(db: Db, orgId: string, filter: PolicyFilter): Promise<string[] | null> {
  const { template, groupIds } = filter
  if (template === null && groupIds.length === 0) return null
  let query = db.selectFrom('policies').select('id').where('org_id', '=', orgId).where('dialect', '=', 'native')
  if (template !== null) {
    query = 'id' in template ? query.where('id', '=', template.id) : query.where('name', '=', template.name)
  }
  if (groupIds.length > 0) query = query.where(sql<boolean>`group_ids && ${groupIds}::uuid[]`)
  return (await query.execute()).map((row) => row.id)
}

/** How many requests match: read from the counts, so it costs the same among a thousand and among a million. */
export async function countRequests(db: Db, filter: RequestFilter): Promise<number> {
  const { orgId, policyIds, onlyOpen, now } = filter
  const native = sql`select id from policies where org_id = ${orgId} and dialect = 'native'`
  const inPolicies = sql`and policy_id = any(${policyIds === null ? sql`array(${native})` : sql`${policyIds}::uuid[]`})`
  // What has expired without anything having written so still counts as open; there are few, since a sweep writes it.
  const overdue = onlyOpen
    ? sql`(select count(*) from requests where org_id = ${orgId} and not is_final and expires_at <= ${now} ${inPolicies})`
    : sql`0`
  const { rows } = await sql<{ total: string }>`
    select coalesce(sum(difference), 0) - ${overdue} as total from request_counts
    where org_id = ${orgId} ${inPolicies} ${onlyOpen ? sql`and not is_final` : sql``}`.execute(db)
  return Math.max(0, Number(rows[0]?.total ?? 0))
}

/**
 * One page. What is open and what is final lie in two ranges of each index, and each policy has ranges of its own; every
 * range gives its first rows in order and they are merged.
 */
export async function listRequests(
  db: Db,
  filter: RequestFilter,
  order: readonly RequestOrder[],
  page: { readonly offset: number; readonly limit: number },
): Promise<RequestRow[]> {
  const { orgId, policyIds, onlyOpen, now } = filter
  const by = orderBy(order)
  const range = (isFinal: boolean) => sql`
    (select r.* from requests r where r.org_id = ${orgId} and r.is_final = ${sql.raw(String(isFinal))}
      and ${policyIds === null ? sql`r.dialect = 'native'` : sql`r.policy_id = wanted.policy`}
      ${onlyOpen ? sql`and r.expires_at > ${now}` : sql``}
    order by ${by} limit ${page.offset + page.limit})`
  const ranges = onlyOpen ? range(false) : sql`${range(false)} union all ${range(true)}`
  const source =
    policyIds === null
      ? sql`(${ranges}) r`
      : sql`unnest(${policyIds}::uuid[]) as wanted(policy) cross join lateral (${ranges}) r`
  const { rows } = await sql<RequestRow>`
    select r.* from ${source} order by ${by} limit ${page.limit} offset ${page.offset}`.execute(db)
  return rows
}

/** Ties are broken by id, in the direction of the first field, so that a page never repeats or skips a request. */
function orderBy(order: readonly RequestOrder[]): RawBuilder<unknown> {
  const terms = order.map(({ field, direction }) => sql`${sql.ref(`r.${field}`)} ${sql.raw(direction)}`)
  return sql`${sql.join(terms)}, r.id ${sql.raw(order[0]?.direction ?? 'desc')}`
}

/** Folds the counted differences of each policy into one row, so that totals stay cheap to read. Safe beside any writer. */
export async function foldRequestCounts(db: Db): Promise<void> {
  await sql`
    with folded as (
      delete from request_counts c using (
        select org_id, policy_id, is_final from request_counts
        group by org_id, policy_id, is_final having count(*) > 1
      ) many
      where c.org_id = many.org_id and c.policy_id = many.policy_id and c.is_final = many.is_final
      returning c.*
    )
    insert into request_counts (org_id, policy_id, is_final, difference)
    select org_id, policy_id, is_final, sum(difference) from folded group by org_id, policy_id, is_final`.execute(db)
}
