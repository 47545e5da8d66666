import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { findMember } from '../store/fortanix-members.ts'
import { findCustodyGroup } from '../store/fortanix-groups.ts'
import { changeMemberCount, lockGroup } from '../store/groups.ts'
import { deleteMemberships, insertMemberships, isMember } from '../store/memberships.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { requireMember, type Member } from './account-rights.ts'
import { leafActorOf, type CustodyCaller } from './caller.ts'
import { requireGroupOf } from './group-rights.ts'
import { changeMember, type MemberInput } from './members.ts'
import { renameUser, type UserNames } from './users.ts'

export interface UserInput extends UserNames, MemberInput {
  /** Groups to be put into. */
  readonly joins: readonly string[]
  /** Groups to be taken out of. */
  readonly leaves: readonly string[]
}

/**
 * Changes a user: their name themselves, what they are in the account an administrator, what groups they are in whoever manages
 * the group.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, USER_NOT_FOUND, GROUP_NOT_FOUND, LAST_ADMINISTRATOR
 */
export async function changeUser(ctx: Ctx, caller: CustodyCaller, personId: string, input: UserInput): Promise<void> {
  const { firstName, lastName, joins, leaves } = input
  const renames = firstName !== undefined || lastName !== undefined
  await transact(ctx, null, async (tx) => {
    // Oneself without an account too.
    if (caller.orgId !== null) await requireVisible(tx, await requireMember(tx, caller), personId)
    else if (caller.personId !== personId) throw new AppError('ACCOUNT_NOT_SELECTED')
    if (renames && caller.personId !== personId) throw new AppError('REQUESTOR_NOT_AUTHORIZED')
    // Before the account, as wherever both are held.
    if (caller.orgId !== null && joins.length + leaves.length > 0) await lockFacts(tx, caller.orgId)
    await renameUser(ctx, tx, personId, input)
    await changeMember(ctx, tx, caller, personId, input)
    for (const groupId of new Set(joins)) await moveUser(ctx, tx, caller, { personId, groupId, isIn: true })
    for (const groupId of new Set(leaves)) await moveUser(ctx, tx, caller, { personId, groupId, isIn: false })
  })
}

async function requireVisible(tx: Tx, { orgId }: Member, personId: string): Promise<void> {
  if ((await findMember(tx, orgId, personId)) === undefined) throw new AppError('USER_NOT_FOUND')
}

interface Move {
  readonly personId: string
  readonly groupId: string
  readonly isIn: boolean
}

async function moveUser(ctx: Ctx, tx: Tx, caller: CustodyCaller, { personId, groupId, isIn }: Move): Promise<void> {
  const by = await requireMember(tx, caller)
  const { orgId } = by
  requireGroupOf(by, await findCustodyGroup(tx, orgId, groupId), await isMember(tx, orgId, groupId, by.principalId))
  const { principal_id: principalId = null } = (await findMember(tx, orgId, personId)) ?? {}
  if (principalId === null) {
    throw new AppError('INVALID_MEMBER', 'The user has not accepted the invitation yet.', { field: 'add_groups' })
  }
  await lockGroup(tx, orgId, groupId)
  if ((await isMember(tx, orgId, groupId, principalId)) === isIn) return
  const at = ctx.clock.now()
  if (isIn) await insertMemberships(tx, orgId, groupId, [principalId], at)
  else await deleteMemberships(tx, orgId, groupId, [principalId])
  await appendLeaf(ctx, tx, {
    orgId,
    kind: isIn ? 'memberships.added' : 'memberships.removed',
    subjectId: groupId,
    actor: leafActorOf(by),
    at,
    facts: { members: [{ kind: 'human', id: principalId }] },
  })
  await changeMemberCount(tx, orgId, groupId, isIn ? 1 : -1, at)
}
