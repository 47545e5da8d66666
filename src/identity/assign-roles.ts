import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { RoleBinding } from '../store/principals.ts'
import { bumpRowVersion, deleteRoleBindings, findRoleBindings, insertRoleBindings } from '../store/role-bindings.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { leafActorOf, loadActor, type Caller } from './actor.ts'
import { lockHolder, requireVersion } from './role-holder.ts'
import {
  byKey,
  findTemplates,
  maxRoles,
  requireMayGrant,
  resolveRoles,
  rolesInLeaf,
  type RoleHolder,
  type RoleItem,
} from './role-request.ts'
import { requireQuota } from './require-quota.ts'

/**
 * Makes these the roles that a user or an agent holds, in place of all they held (contract §4.3, whose order of checks this
 * follows). `version` is the one that the caller has read, if they say.
 * @throws AppError the codes of `resolveRoles`, REQUESTOR_NOT_AUTHORIZED, USER_NOT_FOUND, AGENT_NOT_FOUND,
 * CONCURRENT_MODIFICATION_ERROR, ROLE_TOTAL_ROLES_EXCEED_MAXIMUM, AGENT_ROLE_TOTAL_ROLES_EXCEED_MAXIMUM, QUOTA_EXCEEDED
 */
export async function assignRoles(
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
    const wanted = await resolveRoles(tx, orgId, holder.kind, items)
    requireMayGrant(actor, wanted.bindings, wanted.templates)
    const { id, rowVersion } = await lockHolder(tx, orgId, holder)
    const held = await findRoleBindings(tx, orgId, id)
    const removed = without(held, wanted.bindings)
    const templatesBefore = await findTemplates(tx, orgId, removed)
    requireMayGrant(actor, removed, templatesBefore)
    requireVersion(rowVersion, version)
    requireRoom(holder, wanted.bindings.length)
    const targets = [{ scope: 'User', id }] as const
    await requireQuota(tx, orgId, 'MAX_ROLES_PER_USER', targets, async () => 0, wanted.bindings.length)

    const added = without(wanted.bindings, held)
    const leaf = { orgId, subjectId: id, actor: leafActorOf(actor), at: ctx.clock.now() }
    if (removed.length > 0) {
      await deleteRoleBindings(tx, orgId, id, removed)
      await appendLeaf(ctx, tx, {
        ...leaf,
        kind: 'roles.removed',
        ...rolesInLeaf(holder.kind, removed, templatesBefore),
      })
    }
    if (added.length > 0) {
      await insertRoleBindings(tx, orgId, id, added, leaf.at)
      await appendLeaf(ctx, tx, {
        ...leaf,
        kind: 'roles.assigned',
        ...rolesInLeaf(holder.kind, added, wanted.templates),
      })
    }
    await bumpRowVersion(tx, orgId, id)
  })
}

function without(bindings: readonly RoleBinding[], others: readonly RoleBinding[]): readonly RoleBinding[] {
  const known = byKey(others)
  return [...byKey(bindings)].filter(([key]) => !known.has(key)).map(([, binding]) => binding)
}

function requireRoom({ kind }: RoleHolder, total: number): void {
  if (total > maxRoles) {
    throw new AppError(kind === 'human' ? 'ROLE_TOTAL_ROLES_EXCEED_MAXIMUM' : 'AGENT_ROLE_TOTAL_ROLES_EXCEED_MAXIMUM')
  }
}
