import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findAccount } from '../../store/fortanix-accounts.ts'
import {
  findOperation,
  findOperationVotes,
  listOperations,
  type ListedOperation,
  type OperationRow,
  type OperationVoteRow,
} from '../../store/fortanix-requests.ts'
import type { Db } from '../../store/open.ts'
import type { Execution } from '../../store/schema-custody.ts'
import { requireMember, type Member } from '../account-rights.ts'
import type { CustodyCaller } from '../caller.ts'
import { openJson } from './sealed-json.ts'

/** What an operation is at, for whoever asks (contract fortanix §3.1). */
export const operationStates = {
  PENDING: ['waiting', 'due'],
  APPROVED: ['succeeded'],
  DENIED: ['denied'],
  FAILED: ['failed'],
} as const satisfies Record<string, readonly Execution[]>
export type OperationState = keyof typeof operationStates

export function stateOf({ execution }: Pick<OperationRow, 'execution'>): OperationState {
  switch (execution) {
    case 'waiting':
    case 'due':
      return 'PENDING'
    case 'succeeded':
      return 'APPROVED'
    case 'denied':
      return 'DENIED'
    case 'failed':
      return 'FAILED'
  }
}

/** An operation with all that is shown of it. */
export interface ShownOperation {
  readonly row: ListedOperation
  readonly state: OperationState
  /** Undefined for none. */
  readonly body: unknown
  /** In the order in which they were cast. */
  readonly votes: readonly OperationVoteRow[]
}

/** By what the wire knows somebody: the person's id, or that of the app. */
export function wireIdOf({ personId, principalId }: Member): string {
  return personId ?? principalId
}

/**
 * An operation that somebody may see: who asked, reviewers, and administrators of the account, until it expires or for good,
 * as the account keeps it (contract fortanix §3.3, §4.4).
 * @throws AppError OPERATION_NOT_FOUND
 */
export async function requireVisibleOperation(
  { clock }: Pick<Ctx, 'clock'>,
  db: Db,
  member: Member,
  id: string,
): Promise<OperationRow> {
  const row = await findOperation(db, member.orgId, id)
  if (row === undefined || !concerns(row, member)) throw new AppError('OPERATION_NOT_FOUND')
  const isExpired = row.expires_at <= clock.now()
  if (isExpired && !(await retainsExpired(db, member.orgId))) throw new AppError('OPERATION_NOT_FOUND')
  return row
}

function concerns({ requester_id: requester, reviewer_ids: reviewers }: OperationRow, member: Member): boolean {
  const id = wireIdOf(member)
  return member.role === 'administrator' || requester === id || reviewers.includes(id)
}

async function retainsExpired(db: Db, orgId: string): Promise<boolean> {
  return (await findAccount(db, orgId))?.retains_expired === true
}

/** @throws AppError OPERATION_NOT_FOUND */
export async function readOperation(ctx: Ctx, caller: CustodyCaller, id: string): Promise<ShownOperation> {
  const member = await requireMember(ctx.db, caller)
  const row = await requireVisibleOperation(ctx, ctx.db, member, id)
  return shown(ctx, row, await findOperationVotes(ctx.db, member.orgId, [id]))
}

export interface OperationSearch {
  /** Ids of people and apps; null for any. */
  readonly requester: string | null
  readonly reviewer: string | null
  readonly subject: string | null
  readonly state: OperationState | null
  readonly limit: number
  readonly offset: number
}

/** Those that the caller may see, the newest first. */
export async function listForApproval(
  ctx: Ctx,
  caller: CustodyCaller,
  { state, ...search }: OperationSearch,
): Promise<ShownOperation[]> {
  const member = await requireMember(ctx.db, caller)
  const { orgId } = member
  const rows = await listOperations(ctx.db, {
    ...search,
    orgId,
    concerning: member.role === 'administrator' ? null : wireIdOf(member),
    executions: state === null ? null : operationStates[state],
    unexpiredAt: (await retainsExpired(ctx.db, orgId)) ? null : ctx.clock.now(),
  })
  const votes = await findOperationVotes(
    ctx.db,
    orgId,
    rows.map((row) => row.request_id),
  )
  const byRequest = Map.groupBy(votes, (vote) => vote.requestId)
  return rows.map((row) => shown(ctx, row, byRequest.get(row.request_id) ?? []))
}

function shown(ctx: Ctx, row: ListedOperation, votes: readonly OperationVoteRow[]): ShownOperation {
  return { row, state: stateOf(row), body: openJson(ctx, row.body), votes }
}
