import type { Ctx } from '../context.ts'
import { leafActorOf, loadActor, type Caller } from '../identity/actor.ts'
import { refuseApiKey } from '../identity/api-keys/access.ts'
import { requireAdmin } from '../identity/authorize.ts'
import { transact } from '../store/unit-of-work.ts'
import { listWebhookKeys, lockWebhookKeys, setWebhookKeyExpiry } from '../store/webhook-keys.ts'
import { addWebhookKey, type WebhookKey } from './add-webhook-key.ts'
import { endWebhookKey } from './revoke-webhook-key.ts'
import { forgetWebhookKeys } from './webhook-keys.ts'

const hour = 3_600_000

/**
 * Gives the organization a new signing key. The one before signs beside it for `overlapHours`, so that receivers can change
 * over; one that an earlier rotation left beside it ends at once.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function rotateWebhookKey(ctx: Ctx, caller: Caller, overlapHours: number): Promise<WebhookKey> {
  refuseApiKey(caller)
  const { orgId } = caller
  const made = await transact(ctx, caller.once, async (tx) => {
    requireAdmin(await loadActor(tx, caller))
    await lockWebhookKeys(tx, orgId)
    const actor = leafActorOf(caller)
    const at = ctx.clock.now()
    const [newest, ...older] = await listWebhookKeys(tx, orgId, at)
    for (const { id } of older) await endWebhookKey(ctx, tx, { orgId, id, actor, at })
    if (newest !== undefined && overlapHours === 0) await endWebhookKey(ctx, tx, { orgId, id: newest.id, actor, at })
    if (newest !== undefined && overlapHours > 0) {
      await setWebhookKeyExpiry(tx, orgId, newest.id, new Date(at.getTime() + overlapHours * hour))
    }
    return await addWebhookKey(ctx, tx, { orgId, actor, at, facts: { overlapHours } })
  })
  forgetWebhookKeys(ctx, orgId)
  return made
}
