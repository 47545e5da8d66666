import { appendLeaf } from '../audit/append.ts'
import type { LeafKind } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { findApp, findGroupsOfApps, lockApp, type AppGroup, type AppRow } from '../store/fortanix-apps.ts'
import { findCustodyGroups } from '../store/fortanix-groups.ts'
import { findGroupsOfPrincipals } from '../store/fortanix-members.ts'
import type { Db, Tx } from '../store/open.ts'
import type { Member } from './account-rights.ts'
import { leafActorOf } from './caller.ts'
import { visibleGroups } from './group-rights.ts'
import type { Checked } from './perform.ts'

/** What an app may be allowed in a group, in the order in which it is shown. */
export const appPermissions = [
  'SIGN',
  'VERIFY',
  'ENCRYPT',
  'DECRYPT',
  'WRAPKEY',
  'UNWRAPKEY',
  'DERIVEKEY',
  'MACGENERATE',
  'MACVERIFY',
  'EXPORT',
  'MANAGE',
  'AGREEKEY',
  'MASKDECRYPT',
  'AUDIT',
  'TRANSFORM',
  'CREATE_SOBJECTS',
  'COPY_SOBJECTS',
  'ROTATE_SOBJECTS',
  'ACTIVATE_SOBJECTS',
  'REVOKE_SOBJECTS',
  'REVERT_SOBJECTS',
  'MOVE_SOBJECTS',
  'UPDATE_SOBJECTS_PROFILE',
  'UPDATE_SOBJECTS_ENABLED_STATE',
  'UPDATE_SOBJECT_POLICIES',
  'UPDATE_KEY_OPS',
  'DELETE_KEY_MATERIAL',
  'DELETE_SOBJECTS',
  'DESTROY_SOBJECTS',
  'RESTORE_EXTERNAL_SOBJECTS',
  'CALCULATE_DIGEST',
  'ENCAPSULATE',
  'DECAPSULATE',
] as const
export type AppPermission = (typeof appPermissions)[number]

/** An app with its groups. */
export interface ShownApp {
  readonly app: AppRow
  readonly groups: readonly AppGroup[]
}

/** An app that somebody sees: one that shares a group with them, or themselves. @throws AppError APP_NOT_FOUND */
export async function requireVisibleApp(db: Db, member: Member, id: string): Promise<ShownApp> {
  const app = await findApp(db, member.orgId, id)
  const groups = (await findGroupsOfApps(db, member.orgId, [id])).get(id) ?? []
  const visible = await visibleGroups(db, member)
  const isSeen = visible === null || groups.some(({ groupId }) => visible.includes(groupId))
  const isShown = member.role === 'app' ? member.principalId === id : isSeen
  if (app === undefined || !isShown) throw new AppError('APP_NOT_FOUND')
  return { app, groups }
}

/**
 * An app that somebody manages: an administrator of the account every one, a plain member one whose groups they all are in. Holds
 * up every other change of it.
 * @throws AppError APP_NOT_FOUND for one that they do not see, REQUESTOR_NOT_AUTHORIZED
 */
export async function requireManagedApp(tx: Tx, member: Member, id: string): Promise<ShownApp> {
  await lockApp(tx, member.orgId, id)
  const shown = await requireVisibleApp(tx, member, id)
  await requireOwnGroups(tx, member, shown.groups)
  return shown
}

/** That somebody may give apps what they may in these groups. @throws AppError REQUESTOR_NOT_AUTHORIZED */
export async function requireOwnGroups(db: Db, member: Member, groups: readonly AppGroup[]): Promise<void> {
  const { orgId, principalId, role } = member
  if (role === 'administrator') return
  const own = (await findGroupsOfPrincipals(db, orgId, [principalId])).get(principalId) ?? []
  const managesAll = role === 'member' && groups.length > 0 && groups.every(({ groupId }) => own.includes(groupId))
  if (!managesAll) throw new AppError('REQUESTOR_NOT_AUTHORIZED')
}

/** That groups are there, and seen. @throws AppError GROUP_NOT_FOUND */
export async function requireGroups(db: Db, member: Member, ids: readonly string[]): Promise<void> {
  const known = (await findCustodyGroups(db, member.orgId, ids)).map(({ group_id: id }) => id)
  const visible = await visibleGroups(db, member)
  const isThere = (id: string) => known.includes(id) && (visible === null || visible.includes(id))
  if (!ids.every(isThere)) throw new AppError('GROUP_NOT_FOUND')
}

/** What it is to do something to an app: its groups have a say, and those that it would come into. */
export function touchingApp(orgId: string, id: string, groupIds: readonly string[], isSensitive = false): Checked {
  const ids = [...new Set(groupIds)]
  return {
    orgId,
    subjects: [{ kind: 'app', id }, ...ids.map((groupId) => ({ kind: 'group' as const, id: groupId }))],
    account: [],
    groups: ids.map((groupId) => ({ id: groupId, concern: 'manage' })),
    isSensitive,
  }
}

/** Tells all of an app that decides, anew. */
export async function tellApp(
  ctx: Ctx,
  tx: Tx,
  by: Member,
  kind: Extract<LeafKind, 'app.created' | 'app.changed'>,
  { app, groups }: ShownApp,
): Promise<void> {
  await appendLeaf(ctx, tx, {
    orgId: by.orgId,
    kind,
    subjectId: app.principal_id,
    actor: leafActorOf(by),
    at: app.updated_at,
    facts: {
      role: app.role,
      isEnabled: app.is_enabled,
      groups: groups.map(({ groupId, permissions }) => ({ group: groupId, permissions })),
      ...(app.default_group !== null && { defaultGroup: app.default_group }),
    },
    privateText: { name: app.name, description: app.description, appType: app.app_type },
  })
}
