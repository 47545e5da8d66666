import { AppError } from '../errors.ts'
import { findGroupsOfApps } from '../store/fortanix-apps.ts'
import { findCustodyGroup, type CustodyGroupRow } from '../store/fortanix-groups.ts'
import { findGroupsOfPrincipals } from '../store/fortanix-members.ts'
import { isMember } from '../store/memberships.ts'
import type { Db } from '../store/open.ts'
import type { Member } from './account-rights.ts'

/** The groups that somebody sees; null for all of the account (contract fortanix §10.7). */
export async function visibleGroups(db: Db, { orgId, principalId, role }: Member): Promise<readonly string[] | null> {
  if (role === 'administrator' || role === 'auditor') return null
  if (role === 'app') {
    const groups = await findGroupsOfApps(db, orgId, [principalId])
    return (groups.get(principalId) ?? []).map(({ groupId }) => groupId)
  }
  return (await findGroupsOfPrincipals(db, orgId, [principalId])).get(principalId) ?? []
}

/** A group that somebody sees. @throws AppError GROUP_NOT_FOUND */
export async function requireVisibleGroup(db: Db, member: Member, id: string): Promise<CustodyGroupRow> {
  const group = await findCustodyGroup(db, member.orgId, id)
  const visible = await visibleGroups(db, member)
  if (group === undefined || (visible !== null && !visible.includes(id))) throw new AppError('GROUP_NOT_FOUND')
  return group
}

/**
 * That somebody manages a group: an administrator of the account every one, a plain member those that they are in.
 * @throws AppError GROUP_NOT_FOUND for one that they do not see, REQUESTOR_NOT_AUTHORIZED
 */
export function requireGroupOf(member: Member, group: CustodyGroupRow | undefined, isIn: boolean): CustodyGroupRow {
  if (group === undefined) throw new AppError('GROUP_NOT_FOUND')
  switch (member.role) {
    case 'administrator':
      return group
    case 'member':
      if (!isIn) throw new AppError('GROUP_NOT_FOUND')
      return group
    case 'auditor':
    case 'app':
      throw new AppError('REQUESTOR_NOT_AUTHORIZED')
  }
}

/** The same for a group that is still to be read. @throws as `requireGroupOf` does */
export async function requireManagedGroup(db: Db, member: Member, id: string): Promise<CustodyGroupRow> {
  const isIn = await isMember(db, member.orgId, id, member.principalId)
  if (member.role === 'app') await requireVisibleGroup(db, member, id)
  return requireGroupOf(member, await findCustodyGroup(db, member.orgId, id), isIn)
}
