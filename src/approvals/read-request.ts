import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { callerNotFound, refuseEndedSession, type Caller } from '../identity/actor.ts'
import type { Status } from '../kernel/request.ts'
import { findRequestFor, type FoundRequest, type RequestRow } from '../store/requests.ts'
import type { Dialect } from '../store/schema.ts'
import type { RequestKey } from '../store/voting.ts'

/**
 * One request of a dialect, for anyone of its organization. Whether a dialect shows it to everyone is for the dialect to ask.
 * @throws AppError WORKFLOW_NOT_FOUND, SESSION_ENDED
 */
export async function readRequest(
  ctx: Ctx,
  caller: Caller,
  key: RequestKey,
  dialect: Dialect | 'any' = 'native',
): Promise<FoundRequest> {
  const row = await findRequestFor(ctx.db, caller.orgId, key, caller.principalId)
  if (row === undefined || row.caller_disabled) throw callerNotFound(caller)
  refuseEndedSession(caller, row.caller_ended_sessions)
  if (row.id === null || (dialect !== 'any' && row.dialect !== dialect)) throw new AppError('WORKFLOW_NOT_FOUND')
  return row
}

/** The status as of now: expiry is a fact of the deadline, not of the sweep that writes it (design §3.4). */
export function currentStatus(row: Pick<RequestRow, 'status' | 'is_final' | 'expires_at'>, now: Date): Status {
  return !row.is_final && row.expires_at <= now ? 'expired' : row.status
}
