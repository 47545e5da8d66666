import { sql } from 'kysely'
import type { Db } from './open.ts'
import { containing, offsetOf, type Page } from './page.ts'
import type { PolicyStatus, Row } from './schema.ts'

export interface PolicyFilter {
  readonly statuses: readonly PolicyStatus[]
  readonly space: { readonly id: string } | { readonly name: string } | undefined
  readonly name: { readonly is: string } | { readonly contains: string } | undefined
}

export type PolicyOrder = readonly {
  readonly by: 'version' | 'updated_at' | 'created_at'
  readonly direction: 'asc' | 'desc'
}[]

const summary = ['id', 'name', 'version', 'description', 'status', 'created_at', 'updated_at'] as const
export type PolicySummary = Pick<Row<'policies'>, (typeof summary)[number]>

export async function countPolicies(db: Db, orgId: string, filter: PolicyFilter): Promise<number> {
  const { total } = await matching(db, orgId, filter)
    .select((row) => row.fn.countAll().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** One page; rows that `order` puts together come newest first. */
export async function listPolicies(
  db: Db,
  orgId: string,
  filter: PolicyFilter,
  order: PolicyOrder,
  page: Page,
): Promise<PolicySummary[]> {
  let query = matching(db, orgId, filter).select(summary)
  for (const { by, direction } of order) query = query.orderBy(by, direction)
  return await query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .offset(offsetOf(page))
    .limit(page.limit)
    .execute()
}

function matching(db: Db, orgId: string, { statuses, space, name }: PolicyFilter) {
  let query = db
    .selectFrom('policies')
    .where('org_id', '=', orgId)
    .where('dialect', '=', 'native')
    .where('status', '=', sql<PolicyStatus>`any (${[...statuses]}::text[])`)
  if (space !== undefined && 'id' in space) query = query.where('space_id', '=', space.id)
  if (space !== undefined && 'name' in space) {
    query = query.where('space_id', '=', (row) =>
      row.selectFrom('spaces').select('id').where('org_id', '=', orgId).where('name', '=', space.name),
    )
  }
  if (name !== undefined && 'is' in name) query = query.where('name', '=', name.is)
  if (name !== undefined && 'contains' in name) query = query.where('name', 'ilike', containing(name.contains))
  return query
}
