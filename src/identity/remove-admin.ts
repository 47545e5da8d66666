import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { deleteAdmin, hasAdmin, isOrganizationNamed, lockOrganization } from '../store/organization-admins.ts'
import { findProfile } from '../store/profiles.ts'
import { transact } from '../store/unit-of-work.ts'
import { leafActorOf, loadActor, type Caller } from './actor.ts'
import { requireAdmin } from './authorize.ts'

/** How the call names the admin. */
export type AdminKey = { readonly id: string } | { readonly email: string }

/**
 * Makes an admin a plain member again; whoever is no admin stays as they are.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, ORGANIZATION_NOT_FOUND, ORGANIZATION_ADMIN_IS_LAST
 */
export async function removeAdmin(ctx: Ctx, caller: Caller, organization: string, key: AdminKey): Promise<void> {
  const { orgId } = caller
  await transact(ctx, caller.once, async (tx) => {
    // Before the caller is read: of two admins who remove each other at once, the second is an admin no longer.
    await lockOrganization(tx, orgId)
    const actor = await loadActor(tx, caller)
    requireAdmin(actor)
    if (!(await isOrganizationNamed(tx, orgId, organization))) throw new AppError('ORGANIZATION_NOT_FOUND')
    const user = await findProfile(tx, orgId, key)
    if (user === undefined || !(await deleteAdmin(tx, orgId, user.id))) return
    if (!(await hasAdmin(tx, orgId))) throw new AppError('ORGANIZATION_ADMIN_IS_LAST')
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'admin.removed',
      subjectId: user.id,
      actor: leafActorOf(actor),
      at: ctx.clock.now(),
      facts: {},
    })
  })
}
