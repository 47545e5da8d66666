import { castVote } from '../approvals/cast-vote.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { GrantTerms } from '../kernel/grant-terms.ts'
import type { AccessRequestRow } from '../store/privx-requests.ts'
import { requireAccessRequest } from './read-requests.ts'
import type { Member } from './member.ts'

export interface Decision {
  /** From 0 on. */
  readonly step: number
  readonly isApproval: boolean
  readonly comment: string
  /** Put in the place of what was asked for; null leaves it. */
  readonly terms: Partial<GrantTerms> | null
}

/**
 * The request to be decided on, asked for before what was decided is looked at (contract privx §4.3).
 * @throws AppError WORKFLOW_NOT_FOUND, WORKFLOW_ALREADY_APPROVED, WORKFLOW_ALREADY_REJECTED
 */
export async function requireUndecided(ctx: Ctx, member: Member, id: string): Promise<AccessRequestRow> {
  const row = await requireAccessRequest(ctx, member, id)
  if (row.is_final) {
    throw new AppError(row.status === 'approved' ? 'WORKFLOW_ALREADY_APPROVED' : 'WORKFLOW_ALREADY_REJECTED')
  }
  return row
}

/**
 * Takes one place of the open step, for or against. When this returns the outcome is settled, and what was approved granted.
 * @throws AppError INVALID_MEMBER, GRANT_TERMS_INVALID, ROLE_DELETED, and the refusals of `refusals.ts`
 */
export async function decideRequest(
  ctx: Ctx,
  member: Member,
  { id, steps, operation }: AccessRequestRow,
  { step, isApproval, comment, terms }: Decision,
): Promise<void> {
  if (step >= steps.length) {
    throw new AppError('INVALID_MEMBER', `step must be from 0 to ${steps.length - 1}.`, { field: 'step' })
  }
  await castVote(
    ctx,
    member,
    { id },
    {
      stance: isApproval ? 'approve' : 'veto',
      groups: null,
      reason: comment === '' ? null : comment,
      signature: null,
      dialect: 'privx',
      stage: step,
      // Of a removal the members of a grant mean nothing.
      ...(terms !== null && operation === 'grant' && { terms }),
    },
  )
}
