import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Caller } from '../identity/actor.ts'
import { explainRow, type RequestExplanation } from './explain-request.ts'
import { currentStatus } from './read-request.ts'
import { readAnyRequest } from './read-any-request.ts'
import { viewRequests, type RequestView } from './view-requests.ts'

export interface ShownRequest {
  readonly view: RequestView
  /** What it waits for; null once it is final. */
  readonly open: RequestExplanation | null
}

/**
 * A request of any dialect, with what it waits for; null stands for an id that none can have.
 * @throws AppError WORKFLOW_NOT_FOUND and the refusals of `readAnyRequest`
 */
export async function showRequest(ctx: Ctx, caller: Caller, id: string | null): Promise<ShownRequest> {
  const row = await readAnyRequest(ctx, caller, id)
  const isOver = row.is_final || currentStatus(row, ctx.clock.now()) === 'expired'
  const [[view], open] = await Promise.all([
    viewRequests(ctx, caller, [row.id]),
    isOver ? null : explainRow(ctx, caller, row),
  ])
  if (view === undefined) throw new AppError('WORKFLOW_NOT_FOUND')
  return { view, open }
}
