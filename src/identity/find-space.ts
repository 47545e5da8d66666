import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { findSpace as find, type SpaceRow } from '../store/spaces.ts'
import type { Actor } from './actor.ts'
import { authorize, requireHuman } from './authorize.ts'

export type Space = SpaceRow

/**
 * A space that the caller may read; null stands for an id that none can have. Permission comes before the look-up
 * (contract §1.8).
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, SPACE_NOT_FOUND
 */
export async function findSpace(ctx: Ctx, actor: Actor, id: string | null): Promise<Space> {
  requireHuman(actor)
  authorize(actor, 'space:read', { type: 'space', id: id ?? '' })
  const space = id === null ? undefined : await find(ctx.db, actor.orgId, id)
  if (space === undefined) throw new AppError('SPACE_NOT_FOUND')
  return space
}
