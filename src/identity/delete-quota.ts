import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { deleteQuota as remove } from '../store/quota-list.ts'
import { transact } from '../store/unit-of-work.ts'
import { leafActorOf, type Actor } from './actor.ts'
import { requireAdmin } from './authorize.ts'
import { quotaInLeaf } from './find-quota.ts'

/**
 * Lifts a quota.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, QUOTA_NOT_FOUND
 */
export async function deleteQuota(ctx: Ctx, actor: Actor, id: string | null): Promise<void> {
  requireAdmin(actor)
  const { orgId } = actor
  await transact(ctx, actor.once, async (tx) => {
    const quota = id === null ? undefined : await remove(tx, orgId, id)
    if (quota === undefined) throw new AppError('QUOTA_NOT_FOUND')
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'quota.deleted',
      subjectId: quota.id,
      actor: leafActorOf(actor),
      at: ctx.clock.now(),
      facts: { ...quotaInLeaf(quota), limit: Number(quota.limit) },
    })
  })
}
