import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { shareAccount } from '../store/fortanix-accounts.ts'
import {
  deleteAppGroupsOf,
  holdsKeys,
  listCustodyGroups,
  lockCustodyGroup,
  type CustodyGroupRow,
  type CustodyGroupSlice,
} from '../store/fortanix-groups.ts'
import { changeMemberCount } from '../store/groups.ts'
import { deleteMemberships, listMembers } from '../store/memberships.ts'
import { markRoleDeleted } from '../store/roles.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { requireMember } from './account-rights.ts'
import { leafActorOf, type CustodyCaller } from './caller.ts'
import { requireManagedGroup, requireVisibleGroup, visibleGroups } from './group-rights.ts'
import { requireNoPolicy } from './policies.ts'

/** Those that the caller sees. @throws AppError as `requireMember` does */
export async function listGroups(
  ctx: Ctx,
  caller: CustodyCaller,
  slice: CustodyGroupSlice,
): Promise<CustodyGroupRow[]> {
  const member = await requireMember(ctx.db, caller)
  return await listCustodyGroups(ctx.db, member.orgId, await visibleGroups(ctx.db, member), slice)
}

/** @throws AppError GROUP_NOT_FOUND, and as `requireMember` does */
export async function readGroup(ctx: Ctx, caller: CustodyCaller, id: string): Promise<CustodyGroupRow> {
  return await requireVisibleGroup(ctx.db, await requireMember(ctx.db, caller), id)
}

/**
 * Takes a group that holds no keys out of use. It cannot be asked for: whoever wants it takes the policy away first.
 * @throws AppError GROUP_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED, GROUP_IN_USE, APPROVAL_REQUIRED
 */
export async function deleteGroup(ctx: Ctx, caller: CustodyCaller, id: string): Promise<void> {
  await transact(ctx, null, async (tx) => {
    const member = await requireMember(tx, caller)
    const { orgId } = member
    await lockFacts(tx, orgId)
    await shareAccount(tx, orgId)
    await lockCustodyGroup(tx, orgId, id)
    await requireManagedGroup(tx, member, id)
    await requireNoPolicy(tx, orgId, { account: ['groups'], groups: [{ id, concern: 'policy' }] })
    if (await holdsKeys(tx, orgId, id)) throw new AppError('GROUP_IN_USE')
    const [at, actor] = [ctx.clock.now(), leafActorOf(member)]
    const members = await listMembers(tx, orgId, id, { page: 1, limit: 1_000_000 })
    const leaf = { orgId, subjectId: id, actor, at }
    if (members.length > 0) {
      const ids = members.map(({ principal_id: principalId }) => principalId)
      await deleteMemberships(tx, orgId, id, ids)
      const facts = { members: members.map(({ kind, principal_id: one }) => ({ kind, id: one })) }
      await appendLeaf(ctx, tx, { ...leaf, kind: 'memberships.removed', facts })
      await changeMemberCount(tx, orgId, id, -ids.length, at)
    }
    await deleteAppGroupsOf(tx, orgId, id)
    await markRoleDeleted(tx, orgId, id, at)
    await appendLeaf(ctx, tx, { ...leaf, kind: 'group.deleted', facts: {} })
  })
}
