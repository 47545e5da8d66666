import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { findGroup } from '../store/groups.ts'
import { isMember, listMembers as findMembers, type MemberRow } from '../store/memberships.ts'
import type { Db } from '../store/open.ts'
import type { Listed, Page } from '../store/page.ts'
import type { Actor } from './actor.ts'
import { requireHuman } from './authorize.ts'
import type { Group } from './find-group.ts'

export type Member = MemberRow

/**
 * Who is in a group, in the order they were added.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, GROUP_NOT_FOUND
 */
export async function listMembers(ctx: Ctx, actor: Actor, groupId: string, page: Page): Promise<Listed<Member>> {
  requireHuman(actor)
  const group = await visibleTo(actor, ctx.db, await findGroup(ctx.db, actor.orgId, { id: groupId }))
  return { items: await findMembers(ctx.db, actor.orgId, groupId, page), total: group.member_count }
}

/** The group, for admins and members; nobody else must learn that it exists, and other dialects see to their own. @throws AppError GROUP_NOT_FOUND */
export async function visibleTo(actor: Actor, db: Db, group: Group | undefined): Promise<Group> {
  if (group?.dialect !== 'native') throw new AppError('GROUP_NOT_FOUND')
  if (actor.isAdmin || (await isMember(db, actor.orgId, group.id, actor.principalId))) return group
  throw new AppError('GROUP_NOT_FOUND')
}
