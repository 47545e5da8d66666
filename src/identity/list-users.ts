import type { Ctx } from '../context.ts'
import type { Listed, Page } from '../store/page.ts'
import { countUsers, listUsers as findUsers, type UserSummaryRow } from '../store/users.ts'
import type { Actor } from './actor.ts'

export type UserSummary = UserSummaryRow

/** People of the organization whose name or e-mail contains `search`, oldest first. */
export async function listUsers(
  ctx: Ctx,
  actor: Actor,
  search: string | null,
  page: Page,
): Promise<Listed<UserSummary>> {
  const items = await findUsers(ctx.db, actor.orgId, search, page)
  return { items, total: await countUsers(ctx.db, actor.orgId, search) }
}
