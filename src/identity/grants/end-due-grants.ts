import type { Ctx } from '../../context.ts'
import { findDueGrants } from '../../store/grants.ts'
import { transact } from '../../store/unit-of-work.ts'
import { endGrant } from './end-grant.ts'

const batch = 100

/**
 * Writes down what the clock has already decided: grants whose end is over. Nobody counts their memberships any more, so
 * this takes no right away. Any number of processes may do so at once; one of them ends each.
 * @returns how many
 */
export async function endDueGrants(ctx: Ctx): Promise<number> {
  for (let ended = 0; ;) {
    const done = await transact(ctx, null, async (tx) => {
      const due = await findDueGrants(tx, ctx.clock.now(), batch)
      for (const grant of due) {
        if (grant.ends_at === null) continue
        // Not the time at which somebody looks: the end itself.
        await endGrant(tx, { grant, actor: { kind: 'system' }, because: 'expired', at: grant.ends_at })
      }
      return due.length
    })
    ended += done
    if (done < batch) return ended
  }
}
