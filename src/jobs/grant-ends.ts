import type { Ctx } from '../context.ts'
import { endDueGrants } from '../identity/grants/end-due-grants.ts'
import { findNextGrantEnd } from '../store/grants.ts'
import { startDueRounds } from './due-rounds.ts'

/**
 * Ends roles that were granted for a while, within a second of their end: from there on a role counts for nobody, whether or
 * not this has written so. The ends are the rows of the grants.
 * @returns ends it, once the run in hand is done
 */
export function startGrantEnds(ctx: Ctx): () => Promise<void> {
  return startDueRounds(ctx, {
    work: () => endDueGrants(ctx),
    next: () => findNextGrantEnd(ctx.db),
    lookAgainMilliseconds: 1_000,
    complaint: 'ends of grants cannot be written',
  })
}
