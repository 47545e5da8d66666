import { appendLeaf } from '../audit/append.ts'
import type { LeafActor } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, type Actor } from '../identity/actor.ts'
import type { Tx } from '../store/open.ts'
import { lockPolicy, retirePolicy, type PolicyKey, type PolicyRow } from '../store/policies.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/voting.ts'
import { announceClosed, cancelRequests, type Closed } from './cancel-requests.ts'
import { closeDrainedPolicy } from './close-policy.ts'
import { requireMayChangePolicy } from './policy-access.ts'
import { openPolicy, type OpenPolicy } from './policy.ts'

/**
 * Takes the active version out of use and leaves the name without one. With `cancels` its open requests end now.
 * The answer is the version as it went out of use; where nothing is open any more it is closed by the time it arrives.
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
  const { row, closed } = await transact(ctx, actor.once, async (tx) => {
    await lockFacts(tx, actor.orgId)
    const active = requireActive(await lockPolicy(tx, actor.orgId, key), key, seen)
    requireMayChangePolicy(actor, active)
    const at = ctx.clock.now()
    const retired = await retire(tx, leafActorOf(actor), active, cancels, at)
    return { row: retired.policy, closed: retired.closed }
  })
  announceClosed(ctx, actor.orgId, closed)
  return openPolicy(ctx, row)
}

function requireActive(row: PolicyRow | undefined, key: PolicyKey, seen: PolicyRow | undefined): PolicyRow {
  if (row?.status === 'active') return row
  if (row !== undefined && seen?.status === 'active') throw new AppError('CONCURRENCY_ERROR')
  if ('name' in key) throw new AppError('NO_ACTIVE_WORKFLOW_TEMPLATE_TO_DEPRECATE')
  throw new AppError(row === undefined ? 'WORKFLOW_TEMPLATE_NOT_FOUND' : 'WORKFLOW_TEMPLATE_NOT_ACTIVE')
}

/** Takes a locked active version out of use, cancels its requests if asked to, and closes it if nothing is open. */
export async function retire(
  tx: Tx,
  actor: LeafActor,
  active: PolicyRow,
  cancels: boolean,
  at: Date,
): Promise<{ policy: PolicyRow; closed: Closed }> {
  const { org_id: orgId, id } = active
  const policy = await retirePolicy(tx, orgId, id, { takesVotes: !cancels, at })
  await appendLeaf(tx, { orgId, kind: 'template.deprecated', subjectId: id, actor, at, facts: { cancels } })
  const closed = cancels ? await cancelRequests(tx, actor, policy, at) : {}
  await closeDrainedPolicy(tx, orgId, id, at)
  return { policy, closed }
}
