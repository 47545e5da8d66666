import { readRequest } from '../approvals/read-request.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Caller } from '../identity/actor.ts'
import type { Status } from '../kernel/request.ts'
import { findRequest, type RequestRow } from '../store/requests.ts'
import type { RequestKey } from '../store/voting.ts'
import { passOf, watchedState, type WatchedState } from './watcher.ts'

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
): Promise<RequestRow> {
  const row = await readRequest(ctx, caller, key)
  const now = ctx.clock.now()
  const { status, isSettled } = watchedState(row.id, row, now)
  if (status !== since || isSettled || waitSeconds === 0 || gone.aborted) return row
  const told = await new Promise<WatchedState | null>((resolve) => {
    const done = (state: WatchedState | null) => {
      clearTimeout(timer)
      stop()
      resolve(state)
    }
    const watcher = { pass: passOf(caller, now), seen: since, tell: done, beat: () => {}, end: () => done(null) }
    const stop = ctx.notices.watch(row, watcher)
    const timer = setTimeout(() => done(null), waitSeconds * 1000)
    gone.addEventListener('abort', () => done(null), { once: true })
  })
  if (gone.aborted) return row
  if (told !== null) return await rowOf(ctx, caller.orgId, told)
  // Nobody has looked whether they may still see it.
  return await readRequest(ctx, caller, { id: row.id })
}

const rows = new WeakMap<WatchedState, Promise<RequestRow | undefined>>()

/** The request that a state was told of, read once for all who were told the same. */
async function rowOf(ctx: Ctx, orgId: string, state: WatchedState): Promise<RequestRow> {
  const reading = rows.get(state) ?? findRequest(ctx.db, orgId, state.id)
  rows.set(state, reading)
  const row = await reading
  if (row === undefined) throw new AppError('WORKFLOW_NOT_FOUND')
  return row
}
