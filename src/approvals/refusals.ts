import { AppError } from '../errors.ts'
import type { Refusal } from '../kernel/request.ts'

/**
 * The kernel's refusal as an error. `beforeProof` runs before a refusal that is only about the proof given, since whoever may
 * not vote at all is told that first (contract §3.3: canVote, then quota, then step-up).
 */
export function refusalError(refusal: Refusal, beforeProof: () => void = () => {}): AppError {
  switch (refusal.reason) {
    case 'terminal':
      return terminalError(refusal.status)
    case 'expired':
      return new AppError('WORKFLOW_EXPIRED')
    case 'policy-closed':
      return new AppError('VOTING_CLOSED')
    case 'voter-disabled':
      return new AppError('ENTITY_NOT_ELIGIBLE_TO_VOTE')
    case 'not-eligible':
      return new AppError(
        refusal.because === 'no-right' ? 'ENTITY_NOT_ELIGIBLE_TO_VOTE' : 'ENTITY_NOT_IN_REQUIRED_GROUP',
      )
    case 'requester-excluded':
      return new AppError('ENTITY_NOT_ELIGIBLE_TO_VOTE', 'Whoever asked for this approval may not give it.')
    case 'beneficiary-excluded':
      return new AppError('ENTITY_NOT_ELIGIBLE_TO_VOTE', 'Whoever this approval is for may not give it.')
    case 'no-free-seat':
      return new AppError('NO_FREE_SEAT')
    case 'already-voted':
      return new AppError('ALREADY_VOTED')
    case 'vote-is-final':
      return new AppError('VOTE_IS_FINAL')
    case 'stale-digest':
      return new AppError('STALE_DIGEST')
    case 'seat-not-held':
      return new AppError('ENTITY_NOT_IN_REQUIRED_GROUP', `You are not a member of group ${refusal.seat.id}.`, {
        field: 'voteType.votedForGroups',
      })
    case 'assurance-missing':
      beforeProof()
      if (refusal.missing.includes('password')) {
        return new AppError('FACTOR_MISSING', 'This vote needs the password of the voter beside it.', {
          field: 'password',
        })
      }
      if (refusal.missing.includes('securityKey')) {
        return new AppError('FACTOR_MISSING', 'This vote needs the security key of the voter beside it.')
      }
      // Only agents are asked for it, and for nothing else.
      if (refusal.missing.includes('signature')) {
        return new AppError('VOTE_SIGNATURE_MISSING', undefined, { field: 'signature' })
      }
      return new AppError('STEP_UP_CONTEXT_MISSING')
    case 'assurance-impossible':
      beforeProof()
      return new AppError('ENTITY_NOT_SUPPORTED')
    case 'stage-not-advisory':
      return new AppError('STAGE_NOT_ADVISORY')
    case 'veto-stands':
      return new AppError('VETO_STANDS')
  }
}

function terminalError(status: Extract<Refusal, { reason: 'terminal' }>['status']): AppError {
  switch (status) {
    case 'approved':
      return new AppError('WORKFLOW_ALREADY_APPROVED')
    case 'canceled':
      return new AppError('WORKFLOW_CANCELLED')
    case 'expired':
      return new AppError('WORKFLOW_EXPIRED')
    case 'rejected':
    case 'open':
      return new AppError('WORKFLOW_ALREADY_REJECTED')
  }
}
