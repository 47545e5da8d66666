import type { Ctx } from '../context.ts'
import { findGroupNames } from '../store/groups.ts'
import { findSpaceNames } from '../store/spaces.ts'
import type { Actor } from './actor.ts'
import { isAllowed, requireHuman } from './authorize.ts'

/** Something that has a name, as a caller refers to it. */
export interface ResourceRef {
  readonly type: 'space' | 'group'
  readonly id: string
}

export interface Resolution {
  readonly resolved: readonly (ResourceRef & { readonly name: string })[]
  readonly denied: readonly (ResourceRef & { readonly reason: 'missing' | 'forbidden' })[]
}

/**
 * The names of these resources, in the order asked for; those that the caller may not read, or that do not exist in their
 * organization, are told apart (contract §1.11).
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function resolveResources(ctx: Ctx, actor: Actor, refs: readonly ResourceRef[]): Promise<Resolution> {
  requireHuman(actor)
  const idsOf = (type: ResourceRef['type']) => refs.filter((ref) => ref.type === type).map((ref) => ref.id)
  const names = {
    space: await findSpaceNames(ctx.db, actor.orgId, idsOf('space')),
    group: await findGroupNames(ctx.db, actor.orgId, idsOf('group')),
  }
  const resolved: Resolution['resolved'][number][] = []
  const denied: Resolution['denied'][number][] = []
  for (const { type, id } of refs) {
    const name = names[type].get(id)
    if (name === undefined) denied.push({ type, id, reason: 'missing' })
    else if (isAllowed(actor, `${type}:read`, { type, id })) resolved.push({ type, id, name })
    else denied.push({ type, id, reason: 'forbidden' })
  }
  return { resolved, denied }
}
