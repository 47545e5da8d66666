import { deleteRequest } from '../../approvals/delete-request.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { requireMember } from '../account-rights.ts'
import type { CustodyCaller } from '../caller.ts'
import { requireVisibleOperation, wireIdOf } from './read.ts'

/**
 * Takes an operation back, or its record away, whatever it is at, for who asked and for administrators of the account (contract
 * fortanix §3.5).
 * @throws AppError OPERATION_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED
 */
export async function deleteOperation(ctx: Ctx, caller: CustodyCaller, id: string): Promise<void> {
  const member = await requireMember(ctx.db, caller)
  const row = await requireVisibleOperation(ctx, ctx.db, member, id)
  if (member.role !== 'administrator' && row.requester_id !== wireIdOf(member)) {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'Who asked may delete this, and an administrator.')
  }
  const { orgId, principalId, kind } = member
  const by = { orgId, principalId, kind, sessionId: null, stepUp: null, once: null }
  await deleteRequest(ctx, by, id, { dialect: 'fortanix', isAdmin: async () => true })
}
