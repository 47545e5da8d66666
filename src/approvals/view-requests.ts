import type { Ctx } from '../context.ts'
import type { Caller } from '../identity/actor.ts'
import type { Status } from '../kernel/request.ts'
import { findNamedRequests, type NamedRequestRow } from '../store/named-requests.ts'
import { positionsOn, type VotingPosition } from './may-vote.ts'
import { policyRules } from './policy-rules.ts'
import { currentStatus } from './read-request.ts'

/** A request of any dialect as one caller sees it. */
export interface RequestView {
  readonly row: NamedRequestRow
  /** As of now. */
  readonly status: Status
  /** How many stages it has. */
  readonly stages: number
  readonly position: VotingPosition
}

/** Requests that the caller may read, oldest first; those that are gone are left out. Two queries, however many they are. */
export async function viewRequests(ctx: Ctx, caller: Caller, ids: readonly string[]): Promise<RequestView[]> {
  if (ids.length === 0) return []
  const [rows, positions] = await Promise.all([
    findNamedRequests(ctx.db, caller.orgId, ids),
    positionsOn(ctx, caller, ids),
  ])
  const now = ctx.clock.now()
  const views = rows.map(async (row): Promise<RequestView[]> => {
    const position = positions.get(row.id)
    if (position === undefined) return []
    const { stages } = await policyRules(ctx.db, caller.orgId, row.policy_id)
    return [{ row, status: currentStatus(row, now), stages: stages.length, position }]
  })
  return (await Promise.all(views)).flat()
}
