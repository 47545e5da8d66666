import type { OperationQuestion } from '../../../custody/requests/ask.ts'
import type { OperationApproval } from '../../../custody/requests/decide.ts'
import {
  operationStates,
  type OperationSearch,
  type OperationState,
  type ShownOperation,
} from '../../../custody/requests/read.ts'
import { invalidMember } from '../../../errors.ts'
import type { VoteRequest } from '../../../identity/webauthn/challenges.ts'
import type { StoredApprover, StoredReviewer, StoredSubject } from '../../../store/schema-custody.ts'
import { readBody, readOptionalBody } from '../../shared/members.ts'
import { parseVoteFactors, renderU2fRequest } from './factors.ts'
import { parseId } from './ids.ts'
import { parseRange } from './lists.ts'
import { renderTime } from './times.ts'

/** Longer than any path that there is. */
const maxOperation = 1024

/** ApprovalRequestRequest (contract fortanix §3.2). @throws AppError INVALID_MEMBER */
export function parseQuestion(body: unknown): OperationQuestion {
  return readBody(body, (members) => {
    const operation = members.neededText('operation', { max: maxOperation })
    return {
      method: (members.text('method', { max: 16 }) ?? 'POST').toUpperCase(),
      // One of the vendor's clients leaves it out.
      operation: operation.startsWith('/') ? operation : `/${operation}`,
      body: members.raw('body') ?? undefined,
      description: members.text('description'),
    }
  })
}

/** @throws AppError INVALID_MEMBER */
export function parseOperationSearch(query: unknown): OperationSearch {
  const { requester, reviewer, subject, status } = query as Readonly<Record<string, unknown>>
  const id = (name: string, value: unknown) => (value === undefined ? null : parseId(name, value))
  return {
    requester: id('requester', requester),
    reviewer: id('reviewer', reviewer),
    subject: id('subject', subject),
    state: status === undefined ? null : parseState(status),
    ...parseRange(query),
  }
}

function parseState(value: unknown): OperationState {
  const states = Object.keys(operationStates) as OperationState[]
  const state = states.find((known) => known === value)
  if (state === undefined) throw invalidMember('status', `must be one of ${states.join(', ')}`)
  return state
}

/** ApproveRequest (contract fortanix §3.4). @throws AppError INVALID_MEMBER */
export function parseApproval(body: unknown): OperationApproval {
  const factors = parseVoteFactors(body)
  return { factors, body: readOptionalBody(body, (members) => members.raw('body') ?? undefined) }
}

/** The reason, if there is one. @throws AppError INVALID_MEMBER */
export function parseDenial(body: unknown): string | null {
  return readOptionalBody(body, (members) => members.text('reason'))
}

/** ApprovalRequest (contract fortanix §3.1). */
export function renderOperation({ row, state, body, votes }: ShownOperation): object {
  const denial = votes.find(({ isApproval }) => !isApproval)
  return {
    request_id: row.request_id,
    acct_id: row.org_id,
    requester: renderApprover({ kind: row.requester_kind, id: row.requester_id }),
    method: row.method,
    operation: row.operation,
    ...(body !== undefined && { body }),
    ...(row.description !== null && { description: row.description }),
    created_at: renderTime(row.created_at),
    expiry: renderTime(row.expires_at),
    status: state,
    approvers: votes.filter(({ isApproval }) => isApproval).map(renderApprover),
    reviewers: row.reviewers.map(renderReviewer),
    ...(denial !== undefined && { denier: renderApprover(denial) }),
    ...(denial !== undefined && denial.reason !== null && { denial_reason: denial.reason }),
    subjects: row.subjects.map(renderSubject),
    result_viewed: row.is_result_viewed,
  }
}

function renderApprover({ kind, id }: StoredApprover): object {
  return kind === 'person' ? { user: id } : { app: id }
}

/** Both flags are always there: null would break the Rust client. */
function renderReviewer(reviewer: StoredReviewer): object {
  const { requiresPassword: requires_password, requiresSecurityKey: requires_2fa } = reviewer
  return { ...renderApprover(reviewer), requires_password, requires_2fa }
}

function renderSubject({ kind, id }: StoredSubject): object {
  return { [kind === 'key' ? 'sobject' : kind]: id }
}

/** What a security key is asked to sign (contract fortanix §5.1, §5.2). */
export function renderVoteRequest({ protocol, options }: VoteRequest): object {
  return protocol === 'u2f' ? renderU2fRequest(options) : options
}
