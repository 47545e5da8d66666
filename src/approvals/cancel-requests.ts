import { renderLeaf, type LeafActor } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { isTerminal } from '../kernel/expiry.ts'
import { decide, type Status } from '../kernel/request.ts'
import type { Policy } from '../kernel/rule.ts'
import { lockOpenRequests, writeClosedRequests, type ClosedRequest } from '../store/open-requests.ts'
import type { Tx } from '../store/open.ts'
import { findPolicy } from '../store/policies.ts'
import type { Row } from '../store/schema.ts'
import { transact } from '../store/unit-of-work.ts'
import { shareFacts } from '../store/fact-locks.ts'
import { findLastTimes } from '../store/voting.ts'
import { closeDrainedPolicy } from './close-policy.ts'
import { countDecision, type Decision } from './count-decision.ts'
import { enqueueActions, triggeredActions, type Transition } from './enqueue-actions.ts'
import { later, stateOf } from './request-state.ts'

/** Every open request of a policy version is to be canceled. As a job carries it: JSON, and enough to go on from. */
export interface Cancellation {
  readonly orgId: string
  readonly policyId: string
  readonly actor: LeafActor
  /** When it was commanded (ISO 8601). Whatever the clock says later, this is the instant that the kernel decides for. */
  readonly at: string
  /** The last request that was looked at; null at the beginning of a pass. */
  readonly after: { readonly createdAt: string; readonly id: string } | null
}

/** What a batch did, and what is still to do; null when nothing is. */
export interface CanceledBatch {
  readonly closed: readonly Decision[]
  readonly next: Cancellation | null
}

/** Rows are locked, decided and written this many at a time, so that neither transaction nor process holds up votes for long. */
const batchSize = 25
/** And no more deliveries than that are written with them. */
const deliveriesOfBatch = 125
/** What a command does of its own cancellation before it is answered. */
const batchesAtOnce = 20
/** What many are told at once comes after what one person's decision leads to. */
const priority = -1

/**
 * Cancels the next open requests of a policy version that takes no votes any more; one whose time was up before the command
 * expires instead. After the last one the version is closed. Doing a batch again changes nothing.
 */
export async function cancelBatch(ctx: Ctx, tx: Tx, cancellation: Cancellation): Promise<CanceledBatch> {
  const { orgId, policyId, actor, after } = cancellation
  const at = new Date(cancellation.at)
  // In the order of the votes: first the facts, then the requests.
  await shareFacts(tx, orgId)
  const policy = await findPolicy(tx, orgId, policyId)
  if (policy === undefined) return { closed: [], next: null }
  const triggered = {
    canceled: await triggeredActions(ctx, tx, orgId, policyId, 'canceled'),
    expired: await triggeredActions(ctx, tx, orgId, policyId, 'expired'),
  }
  const size = Math.max(1, Math.min(batchSize, Math.floor(deliveriesOfBatch / Math.max(1, triggered.canceled.length))))
  const rows = await lockOpenRequests(tx, orgId, policyId, size, after)
  const times = await findLastTimes(
    tx,
    orgId,
    rows.map(({ id }) => id),
  )
  const endings = rows.map((row) => endingOf(policy, row, later(at, times.get(row.id) ?? row.updated_at)))
  const closed = endings.map((ending) => closedBy(ctx, ending, actor))
  if (closed.length > 0) await writeClosedRequests(tx, orgId, policyId, closed)
  for (const to of ['canceled', 'expired'] as const) {
    const transitions = endings.filter((ending) => ending.to === to).map(transitionOf)
    await enqueueActions(ctx, tx, orgId, triggered[to], transitions, priority)
  }
  const decisions = endings.map(decisionOf)
  const last = rows.at(-1)
  if (last !== undefined && rows.length === size) {
    return {
      closed: decisions,
      next: { ...cancellation, after: { createdAt: last.created_at.toISOString(), id: last.id } },
    }
  }
  // Nobody opens a request of it any more, but a second pass costs nothing and proves it.
  if (after !== null) return { closed: decisions, next: { ...cancellation, after: null } }
  await closeDrainedPolicy(ctx, tx, orgId, policyId, at)
  return { closed: decisions, next: null }
}

/** What the command makes of a request, and when that happened. */
interface Ending {
  readonly row: Row<'requests'>
  readonly to: Status
  readonly occurredAt: Date
  /** The instant that the kernel decided for, which the log has. */
  readonly at: Date
}

function endingOf(policy: Policy, row: Row<'requests'>, at: Date): Ending {
  const to = statusOnceCanceled(policy, row, at)
  return { row, to, occurredAt: to === 'expired' ? row.expires_at : at, at }
}

function decisionOf({ row, to, occurredAt }: Ending): Decision {
  return { status: to, isFinal: true, openedAt: row.created_at, at: occurredAt }
}

function transitionOf({ row, to, occurredAt }: Ending): Transition {
  return { requestId: row.id, from: row.status, to, seq: row.vote_seq, occurredAt }
}

/**
 * The first batches, at once; what is more is left to the job that was enqueued with the command, and so are these should
 * the process end here.
 */
export async function cancelNow(ctx: Ctx, cancellation: Cancellation): Promise<void> {
  let rest: Cancellation | null = cancellation
  for (let done = 0; rest !== null && done < batchesAtOnce; done++) {
    const next: Cancellation = rest
    const batch = await transact(ctx, null, (tx) => cancelBatch(ctx, tx, next))
    announceClosed(ctx, cancellation.orgId, batch.closed)
    rest = batch.next
  }
}

function closedBy(ctx: Ctx, { row, to: status, at }: Ending, actor: LeafActor): ClosedRequest {
  const isExpired = status === 'expired'
  const kind = isExpired ? 'request.expired' : 'request.canceled'
  const { content, mark } = renderLeaf(ctx, {
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
  return { id: row.id, status, at, leaf: { kind, content, mark } }
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
export function announceClosed(ctx: Ctx, orgId: string, closed: readonly Decision[]): void {
  for (const decision of closed) countDecision(ctx, decision)
  if (closed.length > 0) ctx.notices.announce(orgId, 'any')
}
