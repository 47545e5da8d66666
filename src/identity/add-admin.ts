import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { isOrganizationNamed } from '../store/organization-admins.ts'
import { findProfile } from '../store/profiles.ts'
import { transact } from '../store/unit-of-work.ts'
import { leafActorOf, loadActor, type Caller } from './actor.ts'
import { requireAdmin } from './authorize.ts'
import { makeAdmin } from './register-person.ts'

/**
 * Makes a user an organization admin.
 * @returns the user's id
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, ORGANIZATION_NOT_FOUND, REFERENCED_USER_NOT_FOUND,
 * ORGANIZATION_ADMIN_ALREADY_EXISTS
 */
export async function addAdmin(ctx: Ctx, caller: Caller, organization: string, email: string): Promise<string> {
  const { orgId } = caller
  return await transact(ctx, caller.once, async (tx) => {
    const actor = await loadActor(tx, caller)
    requireAdmin(actor)
    if (!(await isOrganizationNamed(tx, orgId, organization))) throw new AppError('ORGANIZATION_NOT_FOUND')
    const user = await findProfile(tx, orgId, { email })
    if (user === undefined) throw new AppError('REFERENCED_USER_NOT_FOUND', undefined, { field: 'email' })
    await makeAdmin(ctx, tx, leafActorOf(actor), { orgId, principalId: user.id, email: user.email ?? email })
    return user.id
  })
}
