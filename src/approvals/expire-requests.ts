import type { Ctx } from '../context.ts'
import { findDueRequests } from '../store/requests.ts'
import { transact } from '../store/unit-of-work.ts'
import { closeDrainedPolicies } from './close-policy.ts'
import { changeRequest } from './change-request.ts'
import { countDecision } from './count-decision.ts'

const batch = 100

/**
 * Writes down what the clock has already decided: requests past their deadline become expired. Any number of processes may
 * sweep at once; each takes what no other holds.
 * @returns how many
 */
export async function expireRequests(ctx: Ctx): Promise<number> {
  if (ctx.config.levers.has('disable_workflow_expiration_sweep')) return 0
  let swept = 0
  for (;;) {
    const expired = await transact(ctx, null, async (tx) => {
      const now = ctx.clock.now()
      const due = await findDueRequests(tx, now, batch)
      for (const row of due) {
        await changeRequest(
          ctx,
          tx,
          row,
          { event: { kind: 'clock' }, leaf: 'request.expired', actor: { kind: 'system' } },
          // Not the time at which somebody looks: the deadline itself.
          row.expires_at,
        )
      }
      return due
    })
    for (const { org_id: orgId, id, created_at: openedAt, expires_at: at } of expired) {
      countDecision(ctx, { status: 'expired', isFinal: true, openedAt, at })
      ctx.notices.announce(orgId, [id])
    }
    swept += expired.length
    if (expired.length < batch) break
  }
  await closeDrainedPolicies(ctx)
  return swept
}
