import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findApiKeyForUpdate, revokeApiKey as writeRevocation } from '../../store/api-keys.ts'
import { transact } from '../../store/unit-of-work.ts'
import { leafActorOf, loadActor, type Caller } from '../actor.ts'
import { maySee, ownerOf, refuseApiKey, requireMayRevoke } from './access.ts'

/**
 * Ends a key with all its secrets, for good and at once on every process. One that has ended already stays as it is.
 * @throws AppError API_KEY_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED
 */
export async function revokeApiKey(ctx: Ctx, caller: Caller, id: string | null): Promise<void> {
  refuseApiKey(caller)
  await transact(ctx, caller.once, async (tx) => {
    const actor = await loadActor(tx, caller)
    const { orgId } = actor
    const key = id === null ? undefined : await findApiKeyForUpdate(tx, orgId, id)
    if (key === undefined || !maySee(actor, ownerOf(key))) throw new AppError('API_KEY_NOT_FOUND')
    requireMayRevoke(actor, ownerOf(key))
    if (key.revoked_at !== null) return
    const at = ctx.clock.now()
    await writeRevocation(tx, orgId, key.id, at)
    await appendLeaf(tx, {
      orgId,
      kind: 'api-key.revoked',
      subjectId: key.id,
      actor: leafActorOf(actor),
      at,
      facts: { principal: key.principal_id },
    })
  })
}
