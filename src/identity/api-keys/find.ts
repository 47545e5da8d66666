import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { countApiKeys, findApiKey as findRow, listApiKeys as listRows, type ApiKeyRow } from '../../store/api-keys.ts'
import type { Listed, Page } from '../../store/page.ts'
import type { Actor } from '../actor.ts'
import { maySee, ownerOf, visibleKeys } from './access.ts'

export type ApiKey = ApiKeyRow

/** The keys the caller may see, of one principal if named, newest first; ended ones among them. */
export async function listApiKeys(
  ctx: Ctx,
  actor: Actor,
  principalId: string | null,
  page: Page,
): Promise<Listed<ApiKey>> {
  const filter = { ownedBy: visibleKeys(actor), principalId }
  const items = await listRows(ctx.db, actor.orgId, filter, page)
  return { items, total: await countApiKeys(ctx.db, actor.orgId, filter) }
}

/** @throws AppError API_KEY_NOT_FOUND, also for a key that the caller may not see */
export async function findApiKey(ctx: Ctx, actor: Actor, id: string | null): Promise<ApiKey> {
  const key = id === null ? undefined : await findRow(ctx.db, actor.orgId, id)
  if (key === undefined || !maySee(actor, ownerOf(key))) throw new AppError('API_KEY_NOT_FOUND')
  return key
}
