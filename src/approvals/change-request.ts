import { appendLeaf } from '../audit/append.ts'
import type { LeafActor, LeafKind } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { isTerminal } from '../kernel/expiry.ts'
import { decide, type Event, type RequestState } from '../kernel/request.ts'
import type { Tx } from '../store/open.ts'
import { updateRequest, type RequestRow } from '../store/requests.ts'
import { enqueueActions, triggeredActions } from './enqueue-actions.ts'
import { policyRules } from './policy-rules.ts'
import { refusalError } from './refusals.ts'
import { stateOf } from './request-state.ts'

/** Everything that changes a request besides a vote: the clock, a cancellation, a stage closed by command. */
export interface RequestCommand {
  readonly event: Exclude<Event, { kind: 'vote' | 'amend' }>
  readonly leaf: LeafKind
  readonly actor: LeafActor
}

/**
 * Applies a command to a request whose row the transaction has locked: asks the kernel, writes the outcome, its leaf and
 * what is to be sent of it.
 * @param at the instant that the kernel decides for
 * @throws AppError when the kernel refuses
 */
export async function changeRequest(
  ctx: Ctx,
  tx: Tx,
  row: RequestRow,
  command: RequestCommand,
  at: Date,
): Promise<RequestState> {
  const policy = await policyRules(tx, row.org_id, row.policy_id)
  const state = stateOf(row)
  const outcome = decide(policy, state, command.event, at.getTime())
  if (outcome.kind === 'refused') throw refusalError(outcome.refusal)
  if (outcome.kind === 'needs-approvals') throw new Error('a command does not depend on approvals')
  const { next } = outcome
  await updateRequest(tx, row, {
    status: next.status,
    isFinal: isTerminal(policy, next),
    stage: next.stage,
    tally: next.tally,
    updatedAt: at,
  })
  await appendLeaf(ctx, tx, {
    orgId: row.org_id,
    kind: command.leaf,
    subjectId: row.id,
    actor: command.actor,
    at,
    facts: {
      digest: row.digest,
      policy: row.policy_id,
      seq: row.vote_seq,
      stage: row.stage,
      from: row.status,
      to: next.status,
      ...(next.stage !== row.stage && { toStage: next.stage }),
    },
  })
  if (next.status !== row.status) {
    const triggered = await triggeredActions(ctx, tx, row.org_id, row.policy_id, next.status)
    const transition = { requestId: row.id, from: row.status, to: next.status, seq: row.vote_seq, occurredAt: at }
    await enqueueActions(ctx, tx, row.org_id, triggered, [transition])
  }
  return next
}
