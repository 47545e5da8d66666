import { appendLeaf } from '../../audit/append.ts'
import type { LeafActor } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import {
  findApiKeyForUpdate,
  revokeApiKey as writeRevocation,
  revokeApiKeysOf,
  type ApiKeyHolder,
} from '../../store/api-keys.ts'
import type { Tx } from '../../store/open.ts'
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
    await appendRevocation(ctx, tx, orgId, key, leafActorOf(actor), at)
  })
}

export interface ApiKeyEnding {
  readonly orgId: string
  readonly holder: ApiKeyHolder
  readonly actor: LeafActor
}

/** Revokes all keys of a holder, each with its leaf. Runs under `lockFacts`, so that none is in the making. */
export async function endApiKeysOf(ctx: Ctx, tx: Tx, { orgId, holder, actor }: ApiKeyEnding): Promise<void> {
  const at = ctx.clock.now()
  for (const key of await revokeApiKeysOf(tx, orgId, holder, at)) await appendRevocation(ctx, tx, orgId, key, actor, at)
}

async function appendRevocation(
  ctx: Ctx,
  tx: Tx,
  orgId: string,
  key: { readonly id: string; readonly principal_id: string },
  actor: LeafActor,
  at: Date,
): Promise<void> {
  const facts = { principal: key.principal_id }
  await appendLeaf(ctx, tx, { orgId, kind: 'api-key.revoked', subjectId: key.id, actor, at, facts })
}
