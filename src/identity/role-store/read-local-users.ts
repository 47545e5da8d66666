import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import {
  countAccessUsers,
  everyUser,
  findAccessUser,
  listAccessUsers,
  type AccessUserRow,
  type UserSlice,
} from '../../store/access-users.ts'
import { loadActor, type Caller } from '../actor.ts'
import type { Sliced } from './read-roles.ts'

export interface LocalUserFilter {
  /** Only the one of this name, whatever its case; null for any. */
  readonly username: string | null
  /** Only the one of this id; null for any. */
  readonly id: string | null
}

export async function listLocalUsers(
  ctx: Ctx,
  caller: Caller,
  { username, id }: LocalUserFilter,
  slice: UserSlice,
): Promise<Sliced<AccessUserRow>> {
  const { orgId } = await loadActor(ctx.db, caller)
  const filter = { ...everyUser, source: 'local', username, ids: id === null ? null : [id] } as const
  return {
    items: await listAccessUsers(ctx.db, orgId, filter, slice),
    total: await countAccessUsers(ctx.db, orgId, filter),
  }
}

/** @throws AppError LOCAL_USER_NOT_FOUND */
export async function readLocalUser(ctx: Ctx, caller: Caller, id: string | null): Promise<AccessUserRow> {
  const { orgId } = await loadActor(ctx.db, caller)
  const user = id === null ? undefined : await findAccessUser(ctx.db, orgId, id)
  if (user?.source !== 'local') throw new AppError('LOCAL_USER_NOT_FOUND')
  return user
}
