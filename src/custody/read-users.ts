import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import {
  findGroupsOfPrincipals,
  findMembershipsOf,
  listAccountUsers,
  type AccountUserRow,
  type MemberRow,
  type UserSlice,
} from '../store/fortanix-members.ts'
import { findCustodyUser } from '../store/fortanix-users.ts'
import { findFactorsOf, type PersonFactors } from '../store/person-factors.ts'
import { requireMember, requirePerson } from './account-rights.ts'
import type { CustodyCaller } from './caller.ts'

/** A user, as their account sees them; outside of any account without what they are there. */
export type ShownUser = Pick<
  AccountUserRow,
  'person_id' | 'email' | 'first_name' | 'last_name' | 'verified_at' | 'created_at'
> & {
  readonly member: Pick<MemberRow, 'role' | 'is_enabled' | 'state'> | null
  readonly groupIds: readonly string[]
  readonly factors: PersonFactors
}

/** The users of the caller's account. @throws AppError as `requireMember` does */
export async function listUsers(ctx: Ctx, caller: CustodyCaller, slice: UserSlice): Promise<ShownUser[]> {
  const { orgId } = await requireMember(ctx.db, caller)
  const rows = await listAccountUsers(ctx.db, orgId, slice)
  const principals = rows.flatMap(({ principal_id: id }) => (id === null ? [] : [id]))
  const groups = await findGroupsOfPrincipals(ctx.db, orgId, principals)
  const factors = await findFactorsOf(
    ctx.db,
    rows.map(({ person_id: id }) => id),
  )
  return rows.map((row) => ({
    ...row,
    member: row,
    groupIds: groups.get(row.principal_id ?? '') ?? [],
    factors: factors.get(row.person_id) ?? noFactors,
  }))
}

/**
 * A user of the caller's account; themselves without one too.
 * @throws AppError USER_NOT_FOUND, and as `requireMember` does
 */
export async function readUser(ctx: Ctx, caller: CustodyCaller, personId: string): Promise<ShownUser> {
  if (caller.orgId === null && personId === caller.personId) return await readOneself(ctx, personId)
  const one = { groupId: null, personId, after: null, isDescending: false, limit: 1, offset: 0 }
  const [user] = await listUsers(ctx, caller, one)
  if (user === undefined) throw new AppError('USER_NOT_FOUND')
  return user
}

export async function readOneself(ctx: Ctx, personId: string): Promise<ShownUser> {
  const user = await findCustodyUser(ctx.db, personId)
  if (user === undefined) throw new AppError('USER_NOT_FOUND')
  const factors = await findFactorsOf(ctx.db, [personId])
  return { ...user, member: null, groupIds: [], factors: factors.get(personId) ?? noFactors }
}

const noFactors: PersonFactors = { hasPassword: false, keys: [] }

/** The accounts that the person who calls is in, or invited to. @throws AppError REQUESTOR_NOT_AUTHORIZED for an app */
export async function listAccountsOfCaller(ctx: Ctx, caller: CustodyCaller): Promise<MemberRow[]> {
  return await findMembershipsOf(ctx.db, requirePerson(caller))
}
