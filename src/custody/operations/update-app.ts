import { AppError } from '../../errors.ts'
import { updatePrincipalName } from '../../store/local-users.ts'
import { appendLeaf } from '../../audit/append.ts'
import { replaceAppGroups, updateApp, type AppGroup } from '../../store/fortanix-apps.ts'
import { endCustodySessions } from '../../store/fortanix-sessions.ts'
import { requireMember } from '../account-rights.ts'
import { requireGroups, requireManagedApp, requireOwnGroups, tellApp, touchingApp, type ShownApp } from '../app.ts'
import { requireAmong } from '../apps.ts'
import { leafActorOf } from '../caller.ts'
import type { Operation } from '../perform.ts'

/** What is undefined stays. */
export interface AppInput {
  readonly id: string
  readonly name?: string
  readonly description?: string
  readonly isEnabled?: boolean
  readonly defaultGroup?: string
  /** Groups that it comes into, or is allowed something else in from now on. */
  readonly addGroups: readonly AppGroup[]
  readonly modGroups: readonly AppGroup[]
  readonly delGroups: readonly string[]
}

/** Contract fortanix §6, §10.6. */
export const updateAppOperation: Operation<AppInput, ShownApp> = {
  async check(_ctx, tx, caller, input) {
    const member = await requireMember(tx, caller)
    const { groups } = await requireManagedApp(tx, member, input.id)
    const after = groupsAfter(groups, input)
    const added = input.addGroups.map(({ groupId }) => groupId)
    await requireGroups(tx, member, added)
    if (after.length > 0) await requireOwnGroups(tx, member, after)
    if (input.defaultGroup !== undefined) requireAmong(input.defaultGroup, after)
    return touchingApp(member.orgId, input.id, [...groups.map(({ groupId }) => groupId), ...added])
  },

  async run(ctx, tx, caller, input) {
    const member = await requireMember(tx, caller)
    const { orgId } = member
    const { id, name, description, isEnabled } = input
    const { app, groups } = await requireManagedApp(tx, member, id)
    const [after, at] = [groupsAfter(groups, input), ctx.clock.now()]
    const wanted = input.defaultGroup ?? app.default_group
    const change = {
      name: name ?? app.name,
      description: description ?? app.description,
      is_enabled: isEnabled ?? app.is_enabled,
      default_group: after.some(({ groupId }) => groupId === wanted) ? wanted : null,
      updated_at: at,
    }
    await updateApp(tx, orgId, id, change)
    await replaceAppGroups(tx, orgId, id, after)
    if (!change.is_enabled) await endCustodySessions(tx, { principalId: id }, null, at)
    if (name !== undefined) {
      await updatePrincipalName(tx, orgId, id, { name })
      const leaf = { orgId, subjectId: id, actor: leafActorOf(member), at, facts: {}, privateText: { name } }
      await appendLeaf(ctx, tx, { ...leaf, kind: 'api-client.changed' })
    }
    const shown = { app: { ...app, ...change }, groups: after }
    await tellApp(ctx, tx, member, 'app.changed', shown)
    return shown
  },
}

/** @throws AppError INVALID_MEMBER for a group that it is to be changed in or taken out of and is not in */
function groupsAfter(
  groups: readonly AppGroup[],
  { addGroups, modGroups, delGroups }: Pick<AppInput, 'addGroups' | 'modGroups' | 'delGroups'>,
): readonly AppGroup[] {
  const after = new Map(groups.map((group) => [group.groupId, group]))
  const requireIn = (id: string, field: string) => {
    if (after.has(id)) return
    throw new AppError('INVALID_MEMBER', `${field} names a group that the app is not in.`, { field })
  }
  for (const group of modGroups) {
    requireIn(group.groupId, 'mod_groups')
    after.set(group.groupId, group)
  }
  for (const id of delGroups) {
    requireIn(id, 'del_groups')
    after.delete(id)
  }
  for (const group of addGroups) after.set(group.groupId, group)
  return [...after.values()].toSorted((one, other) => (one.groupId < other.groupId ? -1 : 1))
}
