import { appendLeaf } from '../audit/append.ts'
import type { LeafActor } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, type Actor } from '../identity/actor.ts'
import type { Tx } from '../store/open.ts'
import { lockPolicy, retirePolicy, type PolicyKey, type PolicyRow } from '../store/policies.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { cancelNow, type Cancellation } from './cancel-requests.ts'
import { closeDrainedPolicy } from './close-policy.ts'
import { requireMayChangePolicy } from './policy-access.ts'
import { openPolicy, type OpenPolicy } from './policy.ts'

/**
 * Takes the active version out of use and leaves the name without one. With `cancels` it takes no
 * more votes and its open requests end.
 * The answer is the version as it went out of use; where few requests were open it is closed by the time it arrives.
 * @param seen the policy as it was when the caller's permission was checked
 * @throws AppError NO_ACTIVE_WORKFLOW_TEMPLATE_TO_DEPRECATE, WORKFLOW_TEMPLATE_NOT_FOUND, WORKFLOW_TEMPLATE_NOT_ACTIVE,
 * CONCURRENCY_ERROR
 */
export async function deprecatePolicy(
  ctx: Ctx,
  actor: Actor,
  key: PolicyKey,
  seen: PolicyRow | undefined,
  { cancels }: { cancels: boolean },
): Promise<OpenPolicy> {
  const { policy, cancellation } = await transact(ctx, actor.once, async (tx) => {
    await lockFacts(tx, actor.orgId)
    const active = requireActive(await lockPolicy(tx, actor.orgId, key), key, seen)
    requireMayChangePolicy(actor, active)
    return await retire(ctx, tx, leafActorOf(actor), active, cancels, ctx.clock.now())
  })
  if (cancellation !== null) await cancelNow(ctx, cancellation)
  return openPolicy(ctx, policy)
}

function requireActive(row: PolicyRow | undefined, key: PolicyKey, seen: PolicyRow | undefined): PolicyRow {
  if (row?.status === 'active') return row
  if (row !== undefined && seen?.status === 'active') throw new AppError('CONCURRENCY_ERROR')
  if ('name' in key) throw new AppError('NO_ACTIVE_WORKFLOW_TEMPLATE_TO_DEPRECATE')
  throw new AppError(row === undefined ? 'WORKFLOW_TEMPLATE_NOT_FOUND' : 'WORKFLOW_TEMPLATE_NOT_ACTIVE')
}

/** Takes a locked active version out of use. With `cancels` it takes no more votes, and a job ends its requests. */
export async function retire(
  ctx: Ctx,
  tx: Tx,
  actor: LeafActor,
  active: PolicyRow,
  cancels: boolean,
  at: Date,
): Promise<{ policy: PolicyRow; cancellation: Cancellation | null }> {
  const { org_id: orgId, id: policyId } = active
  const policy = await retirePolicy(tx, orgId, policyId, { takesVotes: !cancels, at })
  await appendLeaf(ctx, tx, { orgId, kind: 'template.deprecated', subjectId: policyId, actor, at, facts: { cancels } })
  if (!cancels) {
    await closeDrainedPolicy(ctx, tx, orgId, policyId, at)
    return { policy, cancellation: null }
  }
  const cancellation = { orgId, policyId, actor, at: at.toISOString(), after: null }
  await ctx.store.jobs.enqueue(tx, 'cancel-requests', [{ data: cancellation }])
  return { policy, cancellation }
}
