import type { Ctx } from '../context.ts'
import { startRounds } from './rounds.ts'

/** Things of which the clock says when each is due. */
export interface Due {
  /** Does what is due now. */
  work(): Promise<unknown>
  /** When the next of them is. */
  next(): Promise<Date | undefined>
  /** One made elsewhere may be due sooner, and a clock may be set: so long is it overlooked at most. */
  readonly lookAgainMilliseconds: number
  /** What is said in the log when it fails. */
  readonly complaint: string
}

/** What is due but in another's hands is not asked for without a pause. */
const pauseMilliseconds = 200
/** When it fails, the store is likely out of reach. */
const failedMilliseconds = 10_000

/**
 * Does things as they come due. They are rows: nothing is lost by a restart, and one index tells the next of a million.
 * @returns ends it, once the run in hand is done
 */
export function startDueRounds(ctx: Ctx, due: Due): () => Promise<void> {
  return startRounds(async () => {
    try {
      await due.work()
      const next = await due.next()
      if (next === undefined) return due.lookAgainMilliseconds
      const wait = Math.max(pauseMilliseconds, next.getTime() - ctx.clock.now().getTime())
      return Math.min(due.lookAgainMilliseconds, wait)
    } catch (error) {
      ctx.log.error({ err: error }, `${due.complaint}; it is tried again in seconds`)
      return failedMilliseconds
    }
  })
}
