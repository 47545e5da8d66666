import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import { offsetOf, type Page } from './page.ts'
import type { QuotaScope, QuotaType } from './quotas.ts'
import type { NewRow, Row } from './schema.ts'

export type QuotaRow = Row<'quotas'>

export interface QuotaFilter {
  readonly scope: QuotaScope | null
  readonly targetId: string | null
  readonly quotaType: QuotaType | null
}

export async function insertQuota(tx: Tx, quota: NewRow<'quotas'>): Promise<QuotaRow> {
  return await tx.insertInto('quotas').values(quota).returningAll().executeTakeFirstOrThrow()
}

export async function findQuota(db: Db, orgId: string, id: string): Promise<QuotaRow | undefined> {
  return await db.selectFrom('quotas').selectAll().where('org_id', '=', orgId).where('id', '=', id).executeTakeFirst()
}

/** Changes the limit of a quota that is still at this version; gives nothing when it is not. */
export async function updateQuota(
  tx: Tx,
  { org_id, id, row_version }: Pick<QuotaRow, 'org_id' | 'id' | 'row_version'>,
  limit: number,
  at: Date,
): Promise<QuotaRow | undefined> {
  return await tx
    .updateTable('quotas')
    .set({ limit, row_version: sql<string>`row_version + 1`, updated_at: at })
    .where('org_id', '=', org_id)
    .where('id', '=', id)
    .where('row_version', '=', row_version)
    .returningAll()
    .executeTakeFirst()
}

/** The quota that there was. */
export async function deleteQuota(tx: Tx, orgId: string, id: string): Promise<QuotaRow | undefined> {
  return await tx
    .deleteFrom('quotas')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

const matching = (db: Db, orgId: string, { scope, targetId, quotaType }: QuotaFilter) =>
  db
    .selectFrom('quotas')
    .where('org_id', '=', orgId)
    .$if(scope !== null, (query) => query.where('scope', '=', scope ?? ''))
    .$if(targetId !== null, (query) => query.where('target_id', '=', targetId ?? ''))
    .$if(quotaType !== null, (query) => query.where('quota_type', '=', quotaType ?? ''))

/** Newest first. */
export async function listQuotas(db: Db, orgId: string, filter: QuotaFilter, page: Page): Promise<QuotaRow[]> {
  return await matching(db, orgId, filter)
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(offsetOf(page))
    .execute()
}

export async function countQuotas(db: Db, orgId: string, filter: QuotaFilter): Promise<number> {
  const { total } = await matching(db, orgId, filter)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}
