import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { changeMemberCount, lockGroup } from '../store/groups.ts'
import { deleteMemberships, findManagingMembers, findMembersAmong } from '../store/memberships.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { leafActorOf, loadActor, type Caller } from './actor.ts'
import { fieldOf, type Entity } from './add-members.ts'
import { authorize, requireHuman } from './authorize.ts'
import type { Group } from './find-group.ts'
import { visibleTo } from './list-members.ts'
import { rolesHolding } from './roles.ts'

/**
 * Takes people and agents out of a group, all or none of them.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, GROUP_NOT_FOUND, MEMBERSHIP_NOT_FOUND, MEMBERSHIP_NO_ADMIN
 */
export async function removeMembers(
  ctx: Ctx,
  caller: Caller,
  groupId: string,
  entities: readonly Entity[],
): Promise<Group> {
  const { orgId } = caller
  return await transact(ctx, caller.once, async (tx) => {
    await lockFacts(tx, orgId)
    const actor = await loadActor(tx, caller)
    requireHuman(actor)
    const group = await visibleTo(actor, tx, await lockGroup(tx, orgId, groupId))
    authorize(actor, 'group:manage', { type: 'group', id: groupId })
    await requireMembers(tx, orgId, groupId, entities)
    // An entity named twice leaves once; by now each id stands for one kind.
    const leaving = new Map(entities.map((entity) => [entity.id, entity]))
    await requireManagerLeft(tx, orgId, groupId, leaving)
    if (leaving.size === 0) return group
    const at = ctx.clock.now()
    await deleteMemberships(tx, orgId, groupId, [...leaving.keys()])
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'memberships.removed',
      subjectId: groupId,
      actor: leafActorOf(actor),
      at,
      facts: { members: [...leaving.values()] },
    })
    return await changeMemberCount(tx, orgId, groupId, -leaving.size, at)
  })
}

async function requireMembers(tx: Tx, orgId: string, groupId: string, entities: readonly Entity[]): Promise<void> {
  const ids = entities.map((entity) => entity.id)
  const members = new Map((await findMembersAmong(tx, orgId, groupId, ids)).map(({ id, kind }) => [id, kind]))
  const missing = entities.findIndex((entity) => members.get(entity.id) !== entity.kind)
  if (missing !== -1) throw new AppError('MEMBERSHIP_NOT_FOUND', undefined, { field: fieldOf(missing) })
}

/** The last person in the group who manages it stays; agents never count as managers (contract §5). */
async function requireManagerLeft(
  tx: Tx,
  orgId: string,
  groupId: string,
  leaving: ReadonlyMap<string, Entity>,
): Promise<void> {
  const managers = await findManagingMembers(tx, orgId, groupId, rolesHolding('group:manage'))
  if (managers.length > 0 && managers.every((id) => leaving.has(id))) throw new AppError('MEMBERSHIP_NO_ADMIN')
}
