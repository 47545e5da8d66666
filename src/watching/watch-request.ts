import { readRequest } from '../approvals/read-request.ts'
import type { Ctx } from '../context.ts'
import type { Caller } from '../identity/actor.ts'
import type { RequestKey } from '../store/voting.ts'
import { passOf, watchedState, type WatchedState, type Watcher } from './watcher.ts'

export interface Watch {
  /** The request as it is at the beginning. */
  readonly first: WatchedState
  /** Nobody is there to be told any more. */
  readonly stop: () => void
}

/**
 * Watches one request. What settled it is the last thing the watcher is told; of one that is settled from the beginning
 * they are told nothing more. Whoever may read the request may watch it, for as long as a call of theirs would be let in.
 * @throws AppError WORKFLOW_NOT_FOUND, SESSION_ENDED, TOO_MANY_REQUESTS
 */
export async function watchRequest(
  ctx: Ctx,
  caller: Caller,
  key: RequestKey,
  watcher: Pick<Watcher, 'tell' | 'beat' | 'end'>,
): Promise<Watch> {
  const row = await readRequest(ctx, caller, key)
  const now = ctx.clock.now()
  const first = watchedState(row.id, row, now)
  if (first.isSettled) return { first, stop: () => {} }
  return { first, stop: ctx.notices.watch(row, { ...watcher, pass: passOf(caller, now), seen: first.status }) }
}
