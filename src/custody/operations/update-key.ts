import { shareCustodyGroups } from '../../store/fortanix-groups.ts'
import { lockKey, updateKey, type KeyRow } from '../../store/fortanix-keys.ts'
import { requireMember } from '../account-rights.ts'
import type { AppPermission } from '../app.ts'
import { requireVisibleGroup } from '../group-rights.ts'
import type { KeyOperation } from '../keys/key-operations.ts'
import { factsOf, tellKey } from '../keys/tell-key.ts'
import type { Operation } from '../perform.ts'
import type { GroupPermission } from '../policies.ts'
import { requireKeyManagement, requireKeysIn, requireVisibleKey } from '../rights.ts'
import { touchingKey } from './use-key.ts'

/** What is undefined stays. */
export interface KeyInput {
  readonly id: string
  readonly name?: string
  readonly description?: string
  readonly operations?: readonly KeyOperation[]
  readonly isEnabled?: boolean
  readonly groupId?: string
}

type Part = GroupPermission & AppPermission

/** What of a key this changes, each with a right of its own; a name or a description where it changes nothing. */
function partsOf(key: KeyRow, { operations, isEnabled, groupId, name, description }: KeyInput): readonly Part[] {
  const parts: Part[] = []
  if (isEnabled !== undefined && isEnabled !== key.is_enabled) parts.push('UPDATE_SOBJECTS_ENABLED_STATE')
  if (operations !== undefined && operations.join() !== key.operations.join()) parts.push('UPDATE_KEY_OPS')
  if (groupId !== undefined && groupId !== key.group_id) parts.push('MOVE_SOBJECTS')
  const isRenamed = name !== undefined && name !== key.name
  const isDescribed = description !== undefined && description !== key.description
  if (isRenamed || isDescribed || parts.length === 0) parts.push('UPDATE_SOBJECTS_PROFILE')
  return parts
}

/** Contract fortanix §6: a key that is moved touches the group that it comes from and the one that it comes into. */
export const updateKeyOperation: Operation<KeyInput, KeyRow> = {
  async check(_ctx, tx, caller, input) {
    const member = await requireMember(tx, caller)
    const key = await requireVisibleKey(tx, member, await lockKey(tx, member.orgId, input))
    const parts = partsOf(key, input)
    for (const part of parts) await requireKeyManagement(tx, member, key, [part])
    const { groupId } = input
    if (groupId === undefined || groupId === key.group_id) return touchingKey(key, ...parts)
    // Out of its group a key is used without whoever the policy there asks for each use: that is theirs to allow.
    const touched = touchingKey(key, ...parts, 'crypto')
    // A group is not taken out of use while keys come into it; both at once, for others may be moved the other way.
    await shareCustodyGroups(tx, member.orgId, [key.group_id, groupId])
    await requireVisibleGroup(tx, member, groupId)
    await requireKeysIn(tx, member, groupId, ['CREATE_SOBJECTS'])
    return {
      ...touched,
      subjects: [...touched.subjects, { kind: 'group', id: groupId }],
      groups: [...touched.groups, { id: groupId, concern: 'MOVE_SOBJECTS' }],
    }
  },

  async run(ctx, tx, caller, input) {
    const member = await requireMember(tx, caller)
    const { orgId } = member
    const { id, name, description, operations, isEnabled, groupId } = input
    await requireVisibleKey(tx, member, await lockKey(tx, orgId, { id }))
    const changed = await updateKey(tx, orgId, id, {
      ...(name !== undefined && { name }),
      ...(description !== undefined && { description }),
      ...(operations !== undefined && { operations: [...operations] }),
      ...(isEnabled !== undefined && { is_enabled: isEnabled }),
      ...(groupId !== undefined && { group_id: groupId }),
      updated_at: ctx.clock.now(),
    })
    const [facts, privateText] = [factsOf(ctx, changed), { name, description }]
    await tellKey(ctx, tx, member, changed, { kind: 'key.changed', at: changed.updated_at, facts, privateText })
    return changed
  },
}
