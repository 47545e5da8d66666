import { expireRequests } from '../approvals/expire-requests.ts'
import type { Ctx } from '../context.ts'
import { findNextDeadline } from '../store/requests.ts'
import { startRounds } from './rounds.ts'

/** A request opened elsewhere may be due sooner, and a clock may be set: so long is a deadline overlooked at most. */
const lookAgainMilliseconds = 10_000
/** What is due but in another's hands is not asked for without a pause. */
const pauseMilliseconds = 200

/**
 * Writes expiries down as they come due, so that their actions run and watchers hear. The deadlines are the rows of the
 * requests: nothing is lost by a restart, and one index tells the next of a million.
 * @returns ends it, once the run in hand is done
 */
export function startDeadlines(ctx: Ctx): () => Promise<void> {
  return startRounds(() => sweep(ctx))
}

/** @returns milliseconds until there may be something to do again */
async function sweep(ctx: Ctx): Promise<number> {
  if (ctx.config.levers.has('disable_workflow_expiration_sweep')) return lookAgainMilliseconds
  try {
    await expireRequests(ctx)
    const next = await findNextDeadline(ctx.db)
    if (next === undefined) return lookAgainMilliseconds
    return Math.min(lookAgainMilliseconds, Math.max(pauseMilliseconds, next.getTime() - ctx.clock.now().getTime()))
  } catch (error) {
    ctx.log.error({ err: error }, 'expiries cannot be written; it is tried again in seconds')
    return lookAgainMilliseconds
  }
}
