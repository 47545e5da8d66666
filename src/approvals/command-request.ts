import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, loadActor, type Caller } from '../identity/actor.ts'
import { authorize } from '../identity/authorize.ts'
import type { RequestState, Status } from '../kernel/request.ts'
import { findPolicy } from '../store/policies.ts'
import { findRequestForUpdate, type RequestRow } from '../store/requests.ts'
import { transact } from '../store/unit-of-work.ts'
import { shareFacts } from '../store/fact-locks.ts'
import { findLastTimes, type RequestKey } from '../store/voting.ts'
import { changeRequest, type RequestCommand } from './change-request.ts'
import { closeDrainedPolicy } from './close-policy.ts'
import { countDecision, type Decision } from './count-decision.ts'
import { readRequest } from './read-request.ts'
import { later } from './request-state.ts'

/**
 * Closes the open stage of a request, which must be advisory: enough has been heard. For whoever asked for the approval and
 * for whoever may write the template.
 * @throws AppError WORKFLOW_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED, STAGE_NOT_ADVISORY, VETO_STANDS and the terminal codes
 */
export async function closeStage(ctx: Ctx, caller: Caller, key: RequestKey): Promise<RequestState> {
  return await commandRequest(ctx, caller, key, 'workflow_template:write', {
    event: { kind: 'close-stage' },
    leaf: 'request.stage-closed',
  })
}

/**
 * Cancels a request that is not decided. For whoever asked for the approval and for holders of `workflow_cancel`.
 * @throws AppError WORKFLOW_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED and the terminal codes
 */
export async function cancelRequest(ctx: Ctx, caller: Caller, key: RequestKey): Promise<RequestState> {
  return await commandRequest(ctx, caller, key, 'workflow_template:workflow_cancel', {
    event: { kind: 'cancel' },
    leaf: 'request.canceled',
  })
}

async function commandRequest(
  ctx: Ctx,
  caller: Caller,
  key: RequestKey,
  permission: 'workflow_template:write' | 'workflow_template:workflow_cancel',
  command: Omit<RequestCommand, 'actor'>,
): Promise<RequestState> {
  const found = await readRequest(ctx, caller, key)
  // Not part of the answer: one that is given again was counted the first time.
  let decision: Decision | null = null
  const next = await transact(ctx, caller.once, async (tx) => {
    await shareFacts(tx, caller.orgId)
    const actor = await loadActor(tx, caller)
    const policy = await findPolicy(tx, caller.orgId, found.policy_id)
    const row = await findRequestForUpdate(tx, caller.orgId, found.id)
    if (policy === undefined || row === undefined) throw new AppError('WORKFLOW_NOT_FOUND')
    const template = { type: 'workflow_template', name: policy.name, spaceId: policy.space_id } as const
    const isRequester = row.requester_id === caller.principalId
    if (!isRequester) authorize(actor, permission, template)
    const at = later(ctx.clock.now(), (await findLastTimes(tx, row.org_id, [row.id])).get(row.id) ?? row.updated_at)
    const next = await changeRequest(ctx, tx, row, { ...command, actor: leafActorOf(caller) }, at)
    decision = next.status === row.status ? null : decisionOf(row, next.status, at)
    if (policy.status !== 'active') await closeDrainedPolicy(ctx, tx, caller.orgId, policy.id, at)
    return next
  })
  if (decision !== null) countDecision(ctx, decision)
  ctx.notices.announce(caller.orgId, [found.id])
  return next
}

/** A status that a command leads to, canceled or approved, is for ever. */
function decisionOf(row: RequestRow, status: Status, at: Date): Decision {
  return { status, isFinal: true, openedAt: row.created_at, at }
}
