import type { Ctx } from '../context.ts'
import type { Listed, Page } from '../store/page.ts'
import { countSpaces, listSpaces as findSpaces } from '../store/spaces.ts'
import type { Actor } from './actor.ts'
import { requireHuman } from './authorize.ts'
import type { Space } from './find-space.ts'

/**
 * Every space of the organization, for any person, so that they can find the one to ask for; oldest first.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function listSpaces(ctx: Ctx, actor: Actor, search: string | null, page: Page): Promise<Listed<Space>> {
  requireHuman(actor)
  const items = await findSpaces(ctx.db, actor.orgId, search, page)
  return { items, total: await countSpaces(ctx.db, actor.orgId, search) }
}
