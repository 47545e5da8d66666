import { expireRequests } from './approvals/expire-requests.ts'
import type { Ctx } from './context.ts'
import { keepDataKeys } from './store/keep-data-keys.ts'
import { forgetExpired } from './store/forget.ts'
import { foldRequestCounts } from './store/request-list.ts'

const everyMilliseconds = 60_000

/**
 * What the clock does without anyone asking: it writes down expiries, folds the counts of lists, keeps up with the data keys
 * and forgets what is past any use. Any number of processes may do so at once, and each has to, to come by new data
 * keys in time; nothing else of it is needed for an answer to be right.
 * @returns ends it, once the run in hand is done
 */
export function startMaintenance(ctx: Ctx): () => Promise<void> {
  let inHand = Promise.resolve()
  const timer = setInterval(() => {
    inHand = inHand.then(() => maintain(ctx))
  }, everyMilliseconds)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await inHand
  }
}

/** One run; a task that fails is logged and does not keep the others from running. */
export async function maintain(ctx: Ctx): Promise<void> {
  const tasks = {
    'expire requests': () => expireRequests(ctx),
    'fold counts': () => foldRequestCounts(ctx.db),
    'keep up with the data keys': () => keepDataKeys(ctx),
    'forget what expired': () => forgetExpired(ctx.db, ctx.clock.now()),
  }
  for (const [task, run] of Object.entries(tasks)) {
    try {
      await run()
    } catch (error) {
      ctx.log.error({ err: error, task }, 'maintenance failed; it is tried again in a minute')
    }
  }
}
