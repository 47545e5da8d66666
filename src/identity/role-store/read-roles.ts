import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import {
  countHolders,
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

/** A role, and how many hold it now. */
export interface CountedRole {
  readonly role: RoleRow
  readonly holders: number
}

/** Everyone may see which roles there are. */
export async function listRoles(
  ctx: Ctx,
  caller: Caller,
  filter: RoleFilter,
  slice: RoleSlice,
): Promise<Sliced<CountedRole>> {
  const { orgId } = await loadActor(ctx.db, caller)
  return {
    items: await counted(ctx, orgId, await findRoles(ctx.db, orgId, filter, slice)),
    total: await countRoles(ctx.db, orgId, filter),
  }
}

async function counted({ db, clock }: Ctx, orgId: string, roles: readonly RoleRow[]): Promise<CountedRole[]> {
  const ids = roles.map(({ id }) => id)
  const holders = await countHolders(db, orgId, ids, clock.now())
  return roles.map((role) => ({ role, holders: holders.get(role.id) ?? 0 }))
}

/** @throws AppError ACCESS_ROLE_NOT_FOUND */
export async function readCountedRole(ctx: Ctx, caller: Caller, id: string | null): Promise<CountedRole> {
  const role = await readRole(ctx, caller, id)
  return { role, holders: (await countHolders(ctx.db, role.org_id, [role.id], ctx.clock.now())).get(role.id) ?? 0 }
}

/** @throws AppError ACCESS_ROLE_NOT_FOUND */
export async function readRole(ctx: Ctx, caller: Caller, id: string | null): Promise<RoleRow> {
  const { orgId } = await loadActor(ctx.db, caller)
  const role = id === null ? undefined : await findRole(ctx.db, orgId, id)
  if (role === undefined) throw new AppError('ACCESS_ROLE_NOT_FOUND')
  return role
}
