import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { bumpRowVersion, insertRoleBindings } from '../store/role-bindings.ts'
import { countSpaces, insertSpace } from '../store/spaces.ts'
import { transact } from '../store/unit-of-work.ts'
import { leafActorOf, type Actor } from './actor.ts'
import { requireHuman } from './authorize.ts'
import { requireQuota } from './require-quota.ts'

export interface NewSpace {
  readonly name: string
  readonly description: string | null
}

/**
 * Makes a space that its creator manages (contract §4.5).
 * @returns the new space's id
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, SPACE_ALREADY_EXISTS, QUOTA_EXCEEDED
 */
export async function createSpace(ctx: Ctx, actor: Actor, { name, description }: NewSpace): Promise<string> {
  requireHuman(actor)
  const { orgId, principalId } = actor
  return await transact(ctx, actor.once, async (tx) => {
    const id = ctx.newId()
    const at = ctx.clock.now()
    await insertSpace(tx, { org_id: orgId, id, name, description, created_at: at, updated_at: at })
    // Asked after the insert, since a name that is taken is told before a quota that is full (contract §0).
    await requireQuota(tx, orgId, 'MAX_SPACES', [], () => countSpaces(tx, orgId, null), 0)
    const manager = { roleName: 'SpaceManager', scopeType: 'space', scopeId: id } as const
    await insertRoleBindings(tx, orgId, principalId, [manager], at)
    await bumpRowVersion(tx, orgId, principalId)
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'space.created',
      subjectId: id,
      actor: leafActorOf(actor),
      at,
      facts: { holder: principalId, roles: [manager] },
      privateText: { name, description },
    })
    return id
  })
}
