import type { Ctx } from '../context.ts'
import type { Listed, Page } from '../store/page.ts'
import { countQuotas, listQuotas as findQuotas, type QuotaFilter } from '../store/quota-list.ts'
import type { Actor } from './actor.ts'
import type { Quota } from './find-quota.ts'

export type { QuotaFilter } from '../store/quota-list.ts'

/** Quotas of the caller's organization, newest first. Everyone may know the limits. */
export async function listQuotas(ctx: Ctx, actor: Actor, filter: QuotaFilter, page: Page): Promise<Listed<Quota>> {
  const items = await findQuotas(ctx.db, actor.orgId, filter, page)
  return { items, total: await countQuotas(ctx.db, actor.orgId, filter) }
}
