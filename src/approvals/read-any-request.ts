import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { loadActor, type Caller } from '../identity/actor.ts'
import type { RequestRow } from '../store/requests.ts'
import { mayReadRequest } from './may-read-request.ts'
import { readRequest } from './read-request.ts'

/**
 * A request of whichever dialect, if the caller may read it; otherwise it is as if there were none. Null stands for an id that
 * none can have.
 * @throws AppError WORKFLOW_NOT_FOUND, SESSION_ENDED, CALLER_USER_NOT_FOUND, CALLER_AGENT_NOT_FOUND
 */
export async function readAnyRequest(ctx: Ctx, caller: Caller, id: string | null): Promise<RequestRow> {
  const actor = await loadActor(ctx.db, caller)
  if (id === null) throw new AppError('WORKFLOW_NOT_FOUND')
  const row = await readRequest(ctx, caller, { id }, 'any')
  if (!(await mayReadRequest(ctx, actor, row))) throw new AppError('WORKFLOW_NOT_FOUND')
  return row
}
