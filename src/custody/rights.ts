import { AppError } from '../errors.ts'
import { findGroupsOfApps } from '../store/fortanix-apps.ts'
import type { KeyRow } from '../store/fortanix-keys.ts'
import { isMember } from '../store/memberships.ts'
import type { Db } from '../store/open.ts'
import type { Member } from './account-rights.ts'
import type { AppPermission } from './app.ts'
import { visibleGroups } from './group-rights.ts'
import type { KeyOperation } from './keys/key-operations.ts'

/** Keys of groups that somebody does not see are not there for them. @throws AppError KEY_NOT_FOUND */
export async function requireVisibleKey(db: Db, member: Member, key: KeyRow | undefined): Promise<KeyRow> {
  const visible = await visibleGroups(db, member)
  if (key === undefined || (visible !== null && !visible.includes(key.group_id))) throw new AppError('KEY_NOT_FOUND')
  return key
}

/** What makes something new, which a key that was revoked does not. */
const applying: readonly KeyOperation[] = ['SIGN', 'ENCRYPT', 'MACGENERATE', 'EXPORT']

/**
 * That somebody may use a key: an app with the permission in the key's group; a user in it, and every administrator of the
 * account. The key has to be for it, and enabled (contract fortanix §10.7).
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, KEY_OPERATION_NOT_ALLOWED, KEY_DISABLED, KEY_NOT_ACTIVE
 */
export async function requireKeyRight(
  db: Db,
  member: Member,
  key: KeyRow,
  operation: KeyOperation & AppPermission,
): Promise<void> {
  await requireInGroup(db, member, key.group_id, [operation])
  if (!key.operations.includes(operation)) {
    throw new AppError('KEY_OPERATION_NOT_ALLOWED', `The key is not for ${operation}.`)
  }
  if (!key.is_enabled) throw new AppError('KEY_DISABLED')
  if (revoked.includes(key.state) && applying.includes(operation)) throw new AppError('KEY_NOT_ACTIVE')
}

const revoked = ['Deactivated', 'Compromised']

/**
 * That somebody may change a key: an app with one of the permissions in the key's group, if the key is for it; a user in the
 * group, and every administrator of the account.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, KEY_OPERATION_NOT_ALLOWED
 */
export async function requireKeyManagement(
  db: Db,
  member: Member,
  key: KeyRow,
  permissions: readonly AppPermission[],
): Promise<void> {
  await requireKeysIn(db, member, key.group_id, permissions)
  if (member.role === 'app' && !key.operations.includes('APPMANAGEABLE')) {
    throw new AppError('KEY_OPERATION_NOT_ALLOWED', 'The key is not managed by apps.')
  }
}

/**
 * That somebody may make keys in a group, or bring them there.
 * @throws AppError GROUP_NOT_FOUND for one that they do not see, REQUESTOR_NOT_AUTHORIZED
 */
export async function requireKeysIn(
  db: Db,
  member: Member,
  groupId: string,
  permissions: readonly AppPermission[],
): Promise<void> {
  await requireInGroup(db, member, groupId, [...permissions, 'MANAGE'])
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED */
async function requireInGroup(
  db: Db,
  { orgId, principalId, role }: Member,
  groupId: string,
  permissions: readonly AppPermission[],
): Promise<void> {
  if (role === 'administrator') return
  if (role === 'member' && (await isMember(db, orgId, groupId, principalId))) return
  if (role === 'app') {
    const groups = (await findGroupsOfApps(db, orgId, [principalId])).get(principalId) ?? []
    const permitted = groups.find((group) => group.groupId === groupId)?.permissions ?? []
    if (permissions.some((permission) => permitted.includes(permission))) return
  }
  throw new AppError('REQUESTOR_NOT_AUTHORIZED')
}
