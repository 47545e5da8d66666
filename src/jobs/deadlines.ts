import { expireRequests } from '../approvals/expire-requests.ts'
import type { Ctx } from '../context.ts'
import { findNextDeadline } from '../store/requests.ts'
import { startDueRounds } from './due-rounds.ts'

/**
 * Writes expiries down as they come due, so that their actions run and watchers hear. The deadlines are the rows of the
 * requests.
 * @returns ends it, once the run in hand is done
 */
export function startDeadlines(ctx: Ctx): () => Promise<void> {
  const isOff = ctx.config.levers.has('disable_workflow_expiration_sweep')
  return startDueRounds(ctx, {
    work: () => expireRequests(ctx),
    next: async () => (isOff ? undefined : await findNextDeadline(ctx.db)),
    lookAgainMilliseconds: 10_000,
    complaint: 'expiries cannot be written',
  })
}
