import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findApiKeyForUpdate, replaceSecret } from '../../store/api-keys.ts'
import { transact } from '../../store/unit-of-work.ts'
import { shareFacts } from '../../store/fact-locks.ts'
import { leafActorOf, loadActor, type Caller } from '../actor.ts'
import { refuseAdminKey } from '../admin-key.ts'
import { maySee, ownerOf, refuseApiKey, requireMayHoldSecret } from './access.ts'
import { written, type ShownApiKey } from './create.ts'
import { newSecret } from './secret.ts'

/**
 * Gives a key a new secret. The one it has now is accepted for `graceSeconds` more, so that clients can change over one by
 * one; one that an earlier rotation left in grace ends at once. Scopes and expiry stay.
 * @throws AppError API_KEY_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED, API_KEY_NOT_ACTIVE
 */
export async function rotateApiKey(
  ctx: Ctx,
  caller: Caller,
  id: string | null,
  graceSeconds: number,
): Promise<ShownApiKey> {
  refuseApiKey(caller)
  refuseAdminKey(caller)
  return await transact(ctx, caller.once, async (tx) => {
    // Whoever shuts the caller or the owner out, or changes owners, ends all keys there are: this one among them, or not yet.
    await shareFacts(tx, caller.orgId)
    const actor = await loadActor(tx, caller)
    const { orgId } = actor
    const key = id === null ? undefined : await findApiKeyForUpdate(tx, orgId, id)
    if (key === undefined || !maySee(actor, ownerOf(key))) throw new AppError('API_KEY_NOT_FOUND')
    requireMayHoldSecret(actor, ownerOf(key))
    const at = ctx.clock.now()
    if (key.revoked_at !== null || key.expires_at <= at) throw new AppError('API_KEY_NOT_ACTIVE')
    const secret = newSecret(key.id)
    const previousUntil = graceSeconds === 0 ? null : new Date(at.getTime() + graceSeconds * 1000)
    await replaceSecret(tx, orgId, key.id, { hash: secret.hash, hint: secret.hint, previousUntil })
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'api-key.rotated',
      subjectId: key.id,
      actor: leafActorOf(actor),
      at,
      facts: { principal: key.principal_id, graceSeconds, secretSha256: secret.hash },
    })
    return { key: await written(tx, orgId, key.id), secret: secret.text }
  })
}
