import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import type { Tx } from '../store/open.ts'
import { closeRetiredPolicy, findDrainedPolicies } from '../store/policies.ts'
import { transact } from '../store/unit-of-work.ts'

/**
 * Ends a policy version that is out of use, once its last open request has closed. Call it in the transaction that makes a
 * request final when the policy is not active; that transaction holds the fact lock, shared as a vote does or exclusive, so
 * that a version going out of use at that moment is not overlooked.
 */
export async function closeDrainedPolicy(ctx: Ctx, tx: Tx, orgId: string, policyId: string, at: Date): Promise<void> {
  if (!(await closeRetiredPolicy(tx, orgId, policyId, at))) return
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'template.closed',
    subjectId: policyId,
    actor: { kind: 'system' },
    at,
    facts: {},
  })
}

/**
 * Ends every version out of use that has drained without anyone noticing: the sweep expires requests without the fact lock,
 * which it could not take in the votes' order.
 */
export async function closeDrainedPolicies(ctx: Ctx): Promise<void> {
  for (const { org_id, id } of await findDrainedPolicies(ctx.db)) {
    await transact(ctx, null, (tx) => closeDrainedPolicy(ctx, tx, org_id, id, ctx.clock.now()))
  }
}
