import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { insertQuota } from '../store/quota-list.ts'
import type { QuotaScope, QuotaType } from '../store/quotas.ts'
import { transact } from '../store/unit-of-work.ts'
import { leafActorOf, type Actor } from './actor.ts'
import { requireAdmin } from './authorize.ts'
import { quotaInLeaf, type Quota } from './find-quota.ts'

/** Of a type that can be set at its scope. */
export interface NewQuota {
  readonly limit: number
  readonly scope: QuotaScope
  readonly quotaType: QuotaType
  readonly targetId: string
}

/**
 * Sets a limit, which holds from the commit on. What it is set on need not exist: it may be made later, and a quota outlives
 * what it was set on (contract §1.10).
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, QUOTA_ALREADY_EXISTS
 */
export async function createQuota(
  ctx: Ctx,
  actor: Actor,
  { limit, scope, quotaType, targetId }: NewQuota,
): Promise<Quota> {
  requireAdmin(actor)
  const { orgId } = actor
  return await transact(ctx, actor.once, async (tx) => {
    const at = ctx.clock.now()
    const quota = await insertQuota(tx, {
      org_id: orgId,
      id: ctx.newId(),
      quota_type: quotaType,
      scope,
      // There is one organization, whatever the caller wrote.
      target_id: scope === 'Org' ? orgId : targetId,
      limit,
      created_at: at,
      updated_at: at,
    })
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'quota.created',
      subjectId: quota.id,
      actor: leafActorOf(actor),
      at,
      facts: { ...quotaInLeaf(quota), limit },
    })
    return quota
  })
}
