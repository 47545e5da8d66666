import { readRequest } from '../approvals/read-request.ts'
import type { Ctx } from '../context.ts'
import type { Caller } from '../identity/actor.ts'
import type { Status } from '../kernel/request.ts'
import type { FoundRequest } from '../store/requests.ts'
import type { RequestKey } from '../store/voting.ts'
import { passOf, watchedState } from './watcher.ts'

export interface AwaitChangeInput {
  /** The status that is no news. */
  readonly since: Status
  readonly waitSeconds: number
  /** Ends the waiting: nobody is there to be answered. */
  readonly gone: AbortSignal
}

/**
 * One request, as soon as it has another status than `since` or nothing can change it any more, or as it is when the time
 * is over.
 * @throws AppError WORKFLOW_NOT_FOUND, SESSION_ENDED, TOO_MANY_REQUESTS
 */
export async function awaitChange(
  ctx: Ctx,
  caller: Caller,
  key: RequestKey,
  { since, waitSeconds, gone }: AwaitChangeInput,
): Promise<FoundRequest> {
  const row = await readRequest(ctx, caller, key)
  const now = ctx.clock.now()
  const { status, isSettled } = watchedState(row.id, row, now)
  if (status !== since || isSettled || waitSeconds === 0 || gone.aborted) return row
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      stop()
      resolve()
    }
    const watcher = { pass: passOf(caller, now), seen: since, tell: done, beat: () => {}, end: done }
    const stop = ctx.notices.watch(row, watcher)
    const timer = setTimeout(done, waitSeconds * 1000)
    gone.addEventListener('abort', done, { once: true })
  })
  // What they are shown, and whether they may still see it, is asked anew.
  return gone.aborted ? row : await readRequest(ctx, caller, { id: row.id })
}
