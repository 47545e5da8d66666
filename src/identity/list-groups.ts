import type { Ctx } from '../context.ts'
import { countGroups, listGroups as findGroups } from '../store/groups.ts'
import type { Listed, Page } from '../store/page.ts'
import type { Actor } from './actor.ts'
import { requireHuman } from './authorize.ts'
import type { Group } from './find-group.ts'

/**
 * An admin sees every group, a member only the groups they are in; oldest first.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function listGroups(ctx: Ctx, actor: Actor, search: string | null, page: Page): Promise<Listed<Group>> {
  requireHuman(actor)
  const filter = { memberId: actor.isAdmin ? null : actor.principalId, search }
  const items = await findGroups(ctx.db, actor.orgId, filter, page)
  return { items, total: await countGroups(ctx.db, actor.orgId, filter) }
}
