import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { isInForce } from '../../kernel/grant-terms.ts'
import {
  countAccessUsers,
  everyUser,
  findAccessUser,
  findGrantsOf,
  listAccessUsers,
  type AccessUserRow,
  type HeldGrantRow,
  type UserFilter,
  type UserSlice,
} from '../../store/access-users.ts'
import type { Db } from '../../store/open.ts'
import { loadActor, type Caller } from '../actor.ts'
import { termsOf } from '../grants/terms.ts'
import { readRole, type Sliced } from './read-roles.ts'

/** Somebody with the roles that were given to them; those to come among them, unless it says otherwise. */
export interface AccessUser {
  readonly user: AccessUserRow
  readonly grants: readonly HeldGrantRow[]
  /** What the roles give that are in force now. */
  readonly permissions: readonly string[]
}

/** Everyone may see who there is and what they hold. */
export async function listUsersWithRoles(
  ctx: Ctx,
  caller: Caller,
  filter: UserFilter,
  slice: UserSlice,
): Promise<Sliced<AccessUser>> {
  const { orgId } = await loadActor(ctx.db, caller)
  const users = await listAccessUsers(ctx.db, orgId, filter, slice)
  return { items: await withGrants(ctx, ctx.db, orgId, users), total: await countAccessUsers(ctx.db, orgId, filter) }
}

/** Who holds a role now. @throws AppError ACCESS_ROLE_NOT_FOUND */
export async function listRoleMembers(
  ctx: Ctx,
  caller: Caller,
  roleId: string | null,
  slice: UserSlice,
): Promise<Sliced<AccessUser>> {
  const { id } = await readRole(ctx, caller, roleId)
  return await listUsersWithRoles(ctx, caller, { ...everyUser, role: { id, now: ctx.clock.now() } }, slice)
}

/** @throws AppError USER_NOT_FOUND, also of who is disabled */
export async function readUser(ctx: Ctx, caller: Caller, id: string | null): Promise<AccessUser> {
  const { orgId } = await loadActor(ctx.db, caller)
  const user = id === null ? undefined : await findAccessUser(ctx.db, orgId, id)
  const [found] = user === undefined ? [] : await withGrants(ctx, ctx.db, orgId, [user])
  if (found === undefined) throw new AppError('USER_NOT_FOUND')
  return found
}

/** The same with nothing but the roles that are in force at this moment. @throws AppError USER_NOT_FOUND */
export async function resolveUser(ctx: Ctx, caller: Caller, id: string | null): Promise<AccessUser> {
  const { grants, ...user } = await readUser(ctx, caller, id)
  return { ...user, grants: inForce(grants, ctx.clock.now()) }
}

function inForce(grants: readonly HeldGrantRow[], now: Date): HeldGrantRow[] {
  return grants.filter((grant) => isInForce(termsOf(grant), now.getTime()))
}

async function withGrants(
  { clock }: Pick<Ctx, 'clock'>,
  db: Db,
  orgId: string,
  users: readonly AccessUserRow[],
): Promise<AccessUser[]> {
  const ids = users.map(({ id }) => id)
  const now = clock.now()
  const held = Map.groupBy(await findGrantsOf(db, orgId, ids, now), (grant) => grant.principal_id)
  return users.map((user) => {
    const grants = held.get(user.id) ?? []
    const permissions = inForce(grants, now).flatMap((grant) => grant.permissions)
    return { user, grants, permissions: [...new Set(permissions)].toSorted() }
  })
}
