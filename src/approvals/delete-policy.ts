import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import type { Actor } from '../identity/actor.ts'
import { deletePolicies, deleteTemplateBindings, lockPolicy, type PolicyKey } from '../store/policies.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/voting.ts'
import { requireMayChangePolicy } from './policy-access.ts'

/** Deletes every version of a policy, with their requests, votes and the roles given on its name. Nothing is left to do is fine. */
export async function deletePolicy(ctx: Ctx, actor: Actor, key: PolicyKey): Promise<void> {
  const { orgId } = actor
  await transact(ctx, actor.once, async (tx) => {
    await lockFacts(tx, orgId)
    const policy = await lockPolicy(tx, orgId, key)
    requireMayChangePolicy(actor, policy)
    if (policy === undefined) return
    const versions = await deletePolicies(tx, orgId, policy.name)
    await deleteTemplateBindings(tx, orgId, policy.name)
    await appendLeaf(tx, {
      orgId,
      kind: 'template.deleted',
      subjectId: policy.id,
      actor: { kind: actor.kind, id: actor.principalId },
      at: ctx.clock.now(),
      facts: { space: policy.space_id, versions: versions.map(({ id }) => id).toSorted() },
      privateText: { name: policy.name },
    })
  })
}
