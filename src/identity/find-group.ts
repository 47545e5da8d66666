import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { findGroup as find, type GroupKey, type GroupRow } from '../store/groups.ts'
import type { Actor } from './actor.ts'
import { authorize, requireHuman } from './authorize.ts'

export type Group = GroupRow

/**
 * A group that the caller may read. Who may not is told so whether or not it exists.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, GROUP_NOT_FOUND
 */
export async function findGroup(ctx: Ctx, actor: Actor, key: GroupKey): Promise<Group> {
  requireHuman(actor)
  const group = await find(ctx.db, actor.orgId, key)
  const id = group?.id ?? ('id' in key ? key.id : '')
  authorize(actor, 'group:read', { type: 'group', id })
  if (group === undefined) throw new AppError('GROUP_NOT_FOUND')
  return group
}
