import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { countGroups, insertGroup } from '../store/groups.ts'
import { insertMemberships } from '../store/memberships.ts'
import { bumpRowVersion, insertRoleBindings } from '../store/role-bindings.ts'
import { transact } from '../store/unit-of-work.ts'
import { leafActorOf, type Actor } from './actor.ts'
import { requireHuman } from './authorize.ts'
import { requireQuota } from './require-quota.ts'

export interface NewGroup {
  readonly name: string
  readonly description: string | null
}

/**
 * Makes a group with its creator as first member and manager (contract §4.5).
 * @returns the new group's id
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, GROUP_ALREADY_EXISTS, QUOTA_EXCEEDED
 */
export async function createGroup(ctx: Ctx, actor: Actor, { name, description }: NewGroup): Promise<string> {
  requireHuman(actor)
  const { orgId, principalId } = actor
  return await transact(ctx, actor.once, async (tx) => {
    const id = ctx.newId()
    const at = ctx.clock.now()
    await insertGroup(tx, { org_id: orgId, id, name, description, member_count: 1, created_at: at, updated_at: at })
    // Asked after the insert, since a name that is taken is told before a quota that is full (contract §0).
    await requireQuota(tx, orgId, 'MAX_GROUPS', [], () => countGroups(tx, orgId, { memberId: null, search: null }), 0)
    await insertMemberships(tx, orgId, id, [principalId], at)
    const manager = { roleName: 'GroupManager', scopeType: 'group', scopeId: id } as const
    await insertRoleBindings(tx, orgId, principalId, [manager], at)
    await bumpRowVersion(tx, orgId, principalId)
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'group.created',
      subjectId: id,
      actor: leafActorOf(actor),
      at,
      facts: { member: principalId, roles: [manager] },
      privateText: { name, description },
    })
    return id
  })
}
