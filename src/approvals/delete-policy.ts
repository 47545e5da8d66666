import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { leafActorOf, type Actor } from '../identity/actor.ts'
import { stopDeliveries } from '../store/deliveries.ts'
import { deletePolicies, lockPolicy, type PolicyKey } from '../store/policies.ts'
import { deleteScopes } from '../store/role-bindings.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { requireMayChangePolicy } from './policy-access.ts'

/**
 * Deletes every version of a policy, with their requests, votes and the roles given on its name, and stops what is still to
 * be sent of them (contract §1.5). Nothing is left to do is fine.
 */
export async function deletePolicy(ctx: Ctx, actor: Actor, key: PolicyKey): Promise<void> {
  const { orgId } = actor
  await transact(ctx, actor.once, async (tx) => {
    await lockFacts(tx, orgId)
    const policy = await lockPolicy(tx, orgId, key)
    requireMayChangePolicy(actor, policy)
    if (policy === undefined) return
    const at = ctx.clock.now()
    await stopDeliveries(tx, orgId, policy.name, 'The template was deleted.', at)
    const versions = await deletePolicies(tx, orgId, policy.name)
    const roles = await deleteScopes(tx, orgId, [{ scopeType: 'workflow_template', scopeId: policy.name }])
    for (const { id, version } of versions) {
      await appendLeaf(ctx, tx, {
        orgId,
        kind: 'template.deleted',
        subjectId: id,
        actor: leafActorOf(actor),
        at,
        facts: { space: policy.space_id, version, roles },
        privateText: { name: policy.name },
      })
    }
  })
}
