import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { changeMemberCount, lockGroup } from '../store/groups.ts'
import { findMembersAmong, findPrincipalsAmong, insertMemberships } from '../store/memberships.ts'
import type { Tx } from '../store/open.ts'
import type { PrincipalKind } from '../store/schema.ts'
import { transact } from '../store/unit-of-work.ts'
import { leafActorOf, loadActor, type Caller } from './actor.ts'
import { authorize, requireHuman } from './authorize.ts'
import type { Group } from './find-group.ts'
import { visibleTo } from './list-members.ts'
import { requireQuota } from './require-quota.ts'

/** A principal as a caller names it. */
export interface Entity {
  readonly kind: PrincipalKind
  readonly id: string
}

/**
 * Adds people and agents to a group, all or none of them. The checks are in the order of contract §5.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, REFERENCED_USER_NOT_FOUND, REFERENCED_AGENT_NOT_FOUND, GROUP_NOT_FOUND,
 * MEMBERSHIP_DUPLICATED_MEMBERSHIP, MEMBERSHIP_ENTITY_ALREADY_IN_GROUP, QUOTA_EXCEEDED
 */
export async function addMembers(
  ctx: Ctx,
  caller: Caller,
  groupId: string,
  entities: readonly Entity[],
): Promise<Group> {
  const { orgId } = caller
  const ids = entities.map((entity) => entity.id)
  return await transact(ctx, caller.once, async (tx) => {
    const actor = await loadActor(tx, caller)
    requireHuman(actor)
    await requireEntities(tx, orgId, entities)
    const group = await visibleTo(actor, tx, await lockGroup(tx, orgId, groupId))
    authorize(actor, 'group:manage', { type: 'group', id: groupId })
    await refuseMembers(tx, orgId, groupId, ids)
    const targets = [{ scope: 'Group', id: groupId }] as const
    await requireQuota(tx, orgId, 'MAX_ENTITIES_PER_GROUP', targets, async () => group.member_count, ids.length)
    if (ids.length === 0) return group
    const at = ctx.clock.now()
    await insertMemberships(tx, orgId, groupId, ids, at)
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'memberships.added',
      subjectId: groupId,
      actor: leafActorOf(actor),
      at,
      facts: { members: entities },
    })
    return await changeMemberCount(tx, orgId, groupId, ids.length, at)
  })
}

async function requireEntities(tx: Tx, orgId: string, entities: readonly Entity[]): Promise<void> {
  const found = await findPrincipalsAmong(
    tx,
    orgId,
    entities.map((entity) => entity.id),
  )
  const kinds = new Map(found.map((principal) => [principal.id, principal.kind]))
  const missing = entities.findIndex((entity) => kinds.get(entity.id) !== entity.kind)
  if (missing === -1) return
  const code = entities[missing]?.kind === 'agent' ? 'REFERENCED_AGENT_NOT_FOUND' : 'REFERENCED_USER_NOT_FOUND'
  throw new AppError(code, undefined, { field: fieldOf(missing) })
}

async function refuseMembers(tx: Tx, orgId: string, groupId: string, ids: readonly string[]): Promise<void> {
  const seen = new Set<string>()
  for (const [index, id] of ids.entries()) {
    if (seen.has(id)) throw new AppError('MEMBERSHIP_DUPLICATED_MEMBERSHIP', undefined, { field: fieldOf(index) })
    seen.add(id)
  }
  const members = new Set((await findMembersAmong(tx, orgId, groupId, ids)).map((member) => member.id))
  const present = ids.findIndex((id) => members.has(id))
  if (present !== -1) throw new AppError('MEMBERSHIP_ENTITY_ALREADY_IN_GROUP', undefined, { field: fieldOf(present) })
}

export function fieldOf(index: number): string {
  return `entities[${index}].entity.entityId`
}
