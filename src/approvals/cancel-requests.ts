import { renderLeaf, type LeafActor } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { isTerminal } from '../kernel/expiry.ts'
import { decide, type Status } from '../kernel/request.ts'
import type { Policy } from '../kernel/rule.ts'
import { lockOpenRequests, writeClosedRequests, type ClosedRequest } from '../store/open-requests.ts'
import type { Tx } from '../store/open.ts'
import type { PolicyRow } from '../store/policies.ts'
import type { Row } from '../store/schema.ts'
import { stateOf } from './request-state.ts'

/** How many requests reached each status. */
export type Closed = Readonly<Partial<Record<Status, number>>>

/** Rows are locked, decided and written this many at a time. */
const batchSize = 1000

/**
 * Cancels every request of a policy version that is still open; one whose time was up expires instead. The caller holds
 * the fact lock and the policy's row, so no vote and no new request comes between.
 */
export async function cancelRequests(tx: Tx, actor: LeafActor, policy: PolicyRow, at: Date): Promise<Closed> {
  const { org_id: orgId, id: policyId, stages, options } = policy
  const counts = new Map<Status, number>()
  for (;;) {
    const rows = await lockOpenRequests(tx, orgId, policyId, batchSize)
    if (rows.length === 0) return Object.fromEntries(counts)
    const closed = rows.map((row) => closeRequest({ stages, options }, row, actor, at))
    await writeClosedRequests(tx, orgId, policyId, at, closed)
    for (const { status } of closed) counts.set(status, (counts.get(status) ?? 0) + 1)
  }
}

function closeRequest(policy: Policy, row: Row<'requests'>, actor: LeafActor, at: Date): ClosedRequest {
  const status = statusOnceCanceled(policy, row, at)
  const isExpired = status === 'expired'
  const kind = isExpired ? 'request.expired' : 'request.canceled'
  const { content } = renderLeaf({
    orgId: row.org_id,
    kind,
    subjectId: row.id,
    actor: isExpired ? { kind: 'system' } : actor,
    at,
    facts: {
      digest: row.digest,
      policy: row.policy_id,
      seq: row.vote_seq,
      stage: row.stage,
      from: row.status,
      to: status,
    },
  })
  return { id: row.id, status, leaf: { kind, content } }
}

function statusOnceCanceled(policy: Policy, row: Row<'requests'>, at: Date): Status {
  const state = stateOf(row)
  const canceled = decide(policy, state, { kind: 'cancel' }, at.getTime())
  // Past its deadline a request cannot be canceled any more: it had expired, and the clock says so.
  const outcome =
    canceled.kind === 'refused' && canceled.refusal.reason === 'expired'
      ? decide(policy, state, { kind: 'clock' }, at.getTime())
      : canceled
  if (outcome.kind !== 'decided' || !isTerminal(policy, outcome.next)) {
    throw new Error(`the kernel did not close request ${row.id}`)
  }
  return outcome.next.status
}

/** To be called after the commit. */
export function announceClosed({ metrics, notices }: Ctx, orgId: string, closed: Closed): void {
  for (const [status, count] of Object.entries(closed)) metrics.decisions.inc({ status }, count)
  if (Object.keys(closed).length > 0) notices.announce(orgId, 'any')
}
