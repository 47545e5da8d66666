import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import {
  countRoles,
  findRole,
  listRoles as findRoles,
  type RoleFilter,
  type RoleRow,
  type RoleSlice,
} from '../../store/roles.ts'
import { loadActor, type Caller } from '../actor.ts'

/** One slice of a list, and how many there are in all. */
export interface Sliced<T> {
  readonly items: readonly T[]
  readonly total: number
}

/** Everyone may see which roles there are. */
export async function listRoles(
  ctx: Ctx,
  caller: Caller,
  filter: RoleFilter,
  slice: RoleSlice,
): Promise<Sliced<RoleRow>> {
  const { orgId } = await loadActor(ctx.db, caller)
  return {
    items: await findRoles(ctx.db, orgId, filter, slice),
    total: await countRoles(ctx.db, orgId, filter),
  }
}

/** @throws AppError ACCESS_ROLE_NOT_FOUND */
export async function readRole(ctx: Ctx, caller: Caller, id: string | null): Promise<RoleRow> {
  const { orgId } = await loadActor(ctx.db, caller)
  const role = id === null ? undefined : await findRole(ctx.db, orgId, id)
  if (role === undefined) throw new AppError('ACCESS_ROLE_NOT_FOUND')
  return role
}
