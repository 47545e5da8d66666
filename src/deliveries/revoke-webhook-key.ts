import { appendLeaf } from '../audit/append.ts'
import type { LeafActor } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, loadActor, type Caller } from '../identity/actor.ts'
import { refuseApiKey } from '../identity/api-keys/access.ts'
import { requireAdmin } from '../identity/authorize.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { deleteWebhookKey, listWebhookKeys, lockWebhookKeys, setWebhookKeyExpiry } from '../store/webhook-keys.ts'
import { forgetWebhookKeys } from './webhook-keys.ts'

/**
 * Ends a signing key at once. The one that is left signs on without an expiry, if it had one: there is always one that does.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, WEBHOOK_KEY_NOT_FOUND, WEBHOOK_KEY_IS_LAST
 */
export async function revokeWebhookKey(ctx: Ctx, caller: Caller, id: string | null): Promise<void> {
  refuseApiKey(caller)
  const { orgId } = caller
  await transact(ctx, caller.once, async (tx) => {
    requireAdmin(await loadActor(tx, caller))
    await lockWebhookKeys(tx, orgId)
    const at = ctx.clock.now()
    const keys = await listWebhookKeys(tx, orgId, at)
    const key = keys.find((each) => each.id === id)
    if (key === undefined) throw new AppError('WEBHOOK_KEY_NOT_FOUND')
    const [left] = keys.filter((each) => each !== key)
    if (left === undefined) throw new AppError('WEBHOOK_KEY_IS_LAST')
    await endWebhookKey(ctx, tx, { orgId, id: key.id, actor: leafActorOf(caller), at })
    await setWebhookKeyExpiry(tx, orgId, left.id, null)
  })
  forgetWebhookKeys(ctx, orgId)
}

export interface WebhookKeyEnding {
  readonly orgId: string
  readonly id: string
  readonly actor: LeafActor
  readonly at: Date
}

/** Nothing of an ended key is kept: no receiver needs its secret any more. Runs under `lockWebhookKeys`. */
export async function endWebhookKey(ctx: Ctx, tx: Tx, { orgId, id, actor, at }: WebhookKeyEnding): Promise<void> {
  await deleteWebhookKey(tx, orgId, id)
  await appendLeaf(ctx, tx, { orgId, kind: 'webhook-key.revoked', subjectId: id, actor, at, facts: {} })
}
