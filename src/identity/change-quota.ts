import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { findQuota, updateQuota } from '../store/quota-list.ts'
import { transact } from '../store/unit-of-work.ts'
import { leafActorOf, type Actor } from './actor.ts'
import { requireAdmin } from './authorize.ts'
import { quotaInLeaf, type Quota } from './find-quota.ts'

/**
 * Gives a quota another limit; null keeps the one it has. Of two calls at once one is told of the other (contract §7.7).
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, QUOTA_NOT_FOUND, QUOTA_CONCURRENT_MODIFICATION_ERROR
 */
export async function changeQuota(ctx: Ctx, actor: Actor, id: string | null, limit: number | null): Promise<Quota> {
  requireAdmin(actor)
  const { orgId } = actor
  return await transact(ctx, actor.once, async (tx) => {
    const quota = id === null ? undefined : await findQuota(tx, orgId, id)
    if (quota === undefined) throw new AppError('QUOTA_NOT_FOUND')
    if (limit === null) return quota
    const at = ctx.clock.now()
    const changed = await updateQuota(tx, quota, limit, at)
    if (changed === undefined) throw new AppError('QUOTA_CONCURRENT_MODIFICATION_ERROR')
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'quota.changed',
      subjectId: changed.id,
      actor: leafActorOf(actor),
      at,
      facts: { ...quotaInLeaf(changed), from: Number(quota.limit), limit },
    })
    return changed
  })
}
