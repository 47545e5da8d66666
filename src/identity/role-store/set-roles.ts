import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { checkTerms, noLimits, type GrantTerms } from '../../kernel/grant-terms.ts'
import { isEnabledPrincipal } from '../../store/grants.ts'
import type { Tx } from '../../store/open.ts'
import { findRolesAmong } from '../../store/roles.ts'
import { leafActorOf, type Actor, type Caller } from '../actor.ts'
import { administer } from '../administer.ts'
import { giveRoles } from '../grants/give-roles.ts'

/** A role that somebody shall hold. */
export interface WantedRole {
  readonly id: string
  /** Null: as it stands or, where it does not, for good. */
  readonly terms: GrantTerms | null
  /** Its place, from 0 on, in the list that was asked for: refusals name it as `roles[0]`. */
  readonly place: number
}

/**
 * Makes these the roles that somebody holds by grant.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, USER_NOT_FOUND, INVALID_MEMBER, GRANT_TERMS_INVALID
 */
export async function setRoles(
  ctx: Ctx,
  caller: Caller,
  userId: string | null,
  roles: readonly WantedRole[],
): Promise<void> {
  await administer(ctx, caller, async (tx, actor) => {
    const isThere = userId !== null && (await isEnabledPrincipal(tx, actor.orgId, userId))
    if (!isThere) throw new AppError('USER_NOT_FOUND')
    await giveCheckedRoles(ctx, tx, actor, userId, roles)
  })
}

/** The same inside another change. @throws AppError INVALID_MEMBER, GRANT_TERMS_INVALID */
export async function giveCheckedRoles(
  ctx: Ctx,
  tx: Tx,
  actor: Actor,
  principalId: string,
  roles: readonly WantedRole[],
): Promise<void> {
  const { orgId } = actor
  const ids = roles.map(({ id }) => id)
  const known = await findRolesAmong(tx, orgId, ids)
  const now = ctx.clock.now().getTime()
  for (const [index, { id, terms, place }] of roles.entries()) {
    const field = `roles[${place}].id`
    if (!known.has(id)) throw new AppError('INVALID_MEMBER', 'No such role.', { field })
    if (ids.indexOf(id) !== index) throw new AppError('INVALID_MEMBER', 'The role is named twice.', { field })
    const problem = terms === null ? null : checkTerms(terms, noLimits, now)
    if (problem !== null) {
      throw new AppError('GRANT_TERMS_INVALID', `It ${problem.reason}.`, { field: `roles[${place}].${problem.field}` })
    }
  }
  const given = roles.map(({ id, terms }) => ({ groupId: id, terms }))
  await giveRoles(ctx, tx, { orgId, actor: leafActorOf(actor), principalId, roles: given })
}
