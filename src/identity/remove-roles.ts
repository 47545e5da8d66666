import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { bumpRowVersion, deleteRoleBindings, findRoleBindings } from '../store/role-bindings.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { leafActorOf, loadActor, type Caller } from './actor.ts'
import { lockHolder, requireVersion } from './role-holder.ts'
import { byKey, requireMayGrant, resolveRoles, rolesInLeaf, type RoleHolder, type RoleItem } from './role-request.ts'

/**
 * Takes these roles from a user or an agent; those they do not hold are passed over (contract §4.3).
 * @throws AppError the codes of `resolveRoles`, REQUESTOR_NOT_AUTHORIZED, USER_NOT_FOUND, AGENT_NOT_FOUND,
 * CONCURRENT_MODIFICATION_ERROR
 */
export async function removeRoles(
  ctx: Ctx,
  caller: Caller,
  holder: RoleHolder,
  items: readonly RoleItem[],
  version: string | null,
): Promise<void> {
  const { orgId } = caller
  await transact(ctx, caller.once, async (tx) => {
    await lockFacts(tx, orgId)
    const actor = await loadActor(tx, caller)
    const named = await resolveRoles(tx, orgId, holder.kind, items)
    requireMayGrant(actor, named.bindings, named.templates)
    const { id, rowVersion } = await lockHolder(tx, orgId, holder)
    requireVersion(rowVersion, version)

    const held = byKey(await findRoleBindings(tx, orgId, id))
    const removed = [...byKey(named.bindings)].filter(([key]) => held.has(key)).map(([, binding]) => binding)
    if (removed.length > 0) {
      await deleteRoleBindings(tx, orgId, id, removed)
      await appendLeaf(ctx, tx, {
        orgId,
        kind: 'roles.removed',
        subjectId: id,
        actor: leafActorOf(actor),
        at: ctx.clock.now(),
        ...rolesInLeaf(holder.kind, removed, named.templates),
      })
    }
    await bumpRowVersion(tx, orgId, id)
  })
}
