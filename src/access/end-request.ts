import { deleteRequest } from '../approvals/delete-request.ts'
import { revokeGrantOfRequest } from '../approvals/revoke-grant.ts'
import type { Ctx } from '../context.ts'
import { loadAccess } from '../identity/access.ts'
import type { Member } from './member.ts'

/**
 * Deletes a request for whoever asked, as long as it is open, and for an admin always. A role that it granted stays.
 * @throws AppError WORKFLOW_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED
 */
export async function deleteAccessRequest(ctx: Ctx, member: Member, id: string): Promise<void> {
  await deleteRequest(ctx, member, id, {
    dialect: 'privx',
    isAdmin: async (tx, actor) => (await loadAccess(ctx, tx, actor)).may('privx-admin'),
  })
}

/**
 * Takes back the role that a request granted, for one of those who approved it.
 * @throws AppError WORKFLOW_NOT_FOUND, GRANT_NOT_REVOCABLE, REQUESTOR_NOT_AUTHORIZED
 */
export async function revokeRole(ctx: Ctx, member: Member, id: string): Promise<void> {
  await revokeGrantOfRequest(ctx, member, id)
}
