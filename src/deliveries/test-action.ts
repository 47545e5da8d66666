import { findPolicyToChange, requireMayWritePolicies } from '../approvals/policy-access.ts'
import { openActions, type Action, type ActionTrigger } from '../approvals/actions.ts'
import { destinationOf } from '../approvals/enqueue-actions.ts'
import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { callerIdOf, leafActorOf, type Actor } from '../identity/actor.ts'
import { callLimiter } from '../identity/call-limiter.ts'
import type { Status } from '../kernel/request.ts'
import type { PolicyKey } from '../store/policies.ts'
import { findAnswer, transact } from '../store/unit-of-work.ts'
import type { AttemptOutcome, Task } from './attempt.ts'
import { meansFor } from './means.ts'
import { performAttempt } from './perform.ts'
import { hideInResponse } from './shown-delivery.ts'

/** An action that was sent along, or one of a policy by its place. */
export type ActionSource = { readonly action: Action } | { readonly policy: PolicyKey; readonly place: number }

/** @throws AppError REQUESTOR_NOT_AUTHORIZED, WORKFLOW_TEMPLATE_NOT_FOUND, ACTION_INDEX_INVALID, TOO_MANY_REQUESTS */
export type TestAction = (actor: Actor, source: ActionSource) => Promise<AttemptOutcome>

/** A test is for someone who waits for it: nobody needs more, and more would let the server scan for them. */
const atOnce = 5
const perMinute = 10

/**
 * Sends a sample of what an action sends, marked as a test: one attempt, now, and no delivery is kept. Bounded to 5 at once in
 * this process, and to 10 a minute for one caller over all of them.
 */
export function actionTester(ctx: Ctx): TestAction {
  const take = callLimiter(ctx, perMinute)
  let inHand = 0

  async function sendOnce(actor: Actor, chosen: ChosenAction): Promise<AttemptOutcome> {
    const { isOver } = await take(`test/${callerIdOf(actor)}`)
    if (isOver) throw new AppError('TOO_MANY_REQUESTS', `${perMinute} actions a minute can be tested by one caller.`)
    const outcome = await send(ctx, actor, chosen)
    // A repetition that comes while the first is under way is sent as well; later ones are given what is kept here.
    return actor.once === null ? outcome : await transact(ctx, actor.once, async () => outcome)
  }

  return async (actor, source) => {
    const chosen = await chosenAction(ctx, actor, source)
    const earlier = await findAnswer<AttemptOutcome>(ctx, actor.once)
    if (earlier !== undefined) return earlier
    if (inHand >= atOnce) {
      throw new AppError('TOO_MANY_REQUESTS', `${atOnce} actions are being tested; try again in some seconds.`)
    }
    inHand++
    try {
      return await sendOnce(actor, chosen)
    } finally {
      inHand--
    }
  }
}

interface ChosenAction {
  readonly action: Action
  /** Where it stands; null for one that was sent along. */
  readonly stored: { readonly policyId: string; readonly place: number } | null
}

async function chosenAction(ctx: Ctx, actor: Actor, source: ActionSource): Promise<ChosenAction> {
  if ('action' in source) {
    requireMayWritePolicies(actor)
    return { action: source.action, stored: null }
  }
  const policy = await findPolicyToChange(ctx, actor, source.policy)
  if (policy === undefined) throw new AppError('WORKFLOW_TEMPLATE_NOT_FOUND')
  const action = openActions(ctx, policy.actions)[source.place]
  if (action === undefined) throw new AppError('ACTION_INDEX_INVALID', undefined, { field: 'index' })
  return { action, stored: { policyId: policy.id, place: source.place } }
}

async function send(ctx: Ctx, actor: Actor, { action, stored }: ChosenAction): Promise<AttemptOutcome> {
  const { orgId } = actor
  const at = ctx.clock.now()
  const task = sampleOf(ctx, orgId, action, at)
  // Before it leaves: what was sent left its leaf, whatever became of this process.
  await transact(ctx, null, async (tx) => {
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'action.tested',
      subjectId: task.id,
      actor: leafActorOf(actor),
      at,
      facts: { action: action.type, ...(stored !== null && { policy: stored.policyId, place: stored.place }) },
      privateText: { destination: destinationOf(action) },
    })
  })
  const outcome = await performAttempt(await meansFor(ctx, orgId, action), task)
  return { ...outcome, response: hideInResponse(outcome.response, action) }
}

/** What the action would send of a workflow that came to a status it runs after. */
function sampleOf({ newId }: Pick<Ctx, 'newId'>, orgId: string, action: Action, at: Date): Task {
  const to = statuses[action.on?.[0] ?? 'APPROVED']
  const occurrence = {
    orgId,
    requestId: newId(),
    requestName: 'sample',
    from: 'open',
    to,
    occurredAt: at,
    isTest: true,
  } as const
  return { id: newId(), action, occurrence }
}

const statuses: Readonly<Record<ActionTrigger, Status>> = {
  APPROVED: 'approved',
  REJECTED: 'rejected',
  EXPIRED: 'expired',
  CANCELED: 'canceled',
}
