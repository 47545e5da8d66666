import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { findQuota as find, type QuotaRow } from '../store/quota-list.ts'
import type { Actor } from './actor.ts'

export type Quota = QuotaRow

/**
 * A quota of the caller's organization; null stands for an id that none can have. Everyone may know the limits.
 * @throws AppError QUOTA_NOT_FOUND
 */
export async function findQuota(ctx: Ctx, actor: Actor, id: string | null): Promise<Quota> {
  const quota = id === null ? undefined : await find(ctx.db, actor.orgId, id)
  if (quota === undefined) throw new AppError('QUOTA_NOT_FOUND')
  return quota
}

/** What a leaf says of a quota beside its limit. */
export function quotaInLeaf({ quota_type, scope, target_id }: Quota): object {
  return { quotaType: quota_type, scope, targetId: target_id }
}
