import { appendLeaf } from '../audit/append.ts'
import { unseal } from '../config/secrets.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, loadActor, type Caller } from '../identity/actor.ts'
import { refuseApiKey } from '../identity/api-keys/access.ts'
import { requireAdmin } from '../identity/authorize.ts'
import { transact } from '../store/unit-of-work.ts'
import { findWebhookKey } from '../store/webhook-keys.ts'
import type { WebhookKey } from './add-webhook-key.ts'
import { currentWebhookKeys } from './webhook-keys.ts'

/**
 * The keys that sign the organization's webhooks now, newest first; the first is made when there is none.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function listWebhookKeys(ctx: Ctx, caller: Caller): Promise<readonly WebhookKey[]> {
  refuseApiKey(caller)
  requireAdmin(await loadActor(ctx.db, caller))
  return await currentWebhookKeys(ctx, caller.orgId)
}

/**
 * The secret of a signing key, for a receiver to check signatures with. Whoever has it can sign as this server does, so that
 * reading it leaves a leaf.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, WEBHOOK_KEY_NOT_FOUND
 */
export async function readWebhookKeySecret(ctx: Ctx, caller: Caller, id: string | null): Promise<Buffer> {
  refuseApiKey(caller)
  return await transact(ctx, null, async (tx) => {
    requireAdmin(await loadActor(tx, caller))
    const { orgId } = caller
    const at = ctx.clock.now()
    const key = id === null ? undefined : await findWebhookKey(tx, orgId, id, at)
    if (key === undefined) throw new AppError('WEBHOOK_KEY_NOT_FOUND')
    const actor = leafActorOf(caller)
    await appendLeaf(ctx, tx, { orgId, kind: 'webhook-key.read', subjectId: key.id, actor, at, facts: {} })
    return unseal(ctx.keys.atRest, key.secret)
  })
}
