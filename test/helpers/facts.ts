import { appendLeaf } from '../../src/audit/append.ts'
import type { Ctx } from '../../src/context.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { lockFacts } from '../../src/store/fact-locks.ts'
import { orgId } from './quorum.ts'
import type { Answer, Client } from './world.ts'

/** Takes a person out of a group over the API. */
export async function removeMember(admin: Client, groupId: string, principalId: string): Promise<Answer> {
  const entities = [{ entity: { entityType: 'human', entityId: principalId } }]
  return await admin.delete(`/groups/${groupId}/entities`, { entities })
}

/** Takes every role from a principal, and with them the right to vote. */
export async function removeRoles(ctx: Ctx, principalId: string): Promise<void> {
  await transact(ctx, null, async (tx) => {
    await lockFacts(tx, orgId)
    await tx.deleteFrom('role_bindings').where('org_id', '=', orgId).where('principal_id', '=', principalId).execute()
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'roles.removed',
      subjectId: principalId,
      actor: { kind: 'system' },
      at: ctx.clock.now(),
      facts: {},
    })
  })
}

/** Ends a policy, so that it takes no more votes. */
export async function closePolicy(ctx: Ctx, policyId: string): Promise<void> {
  await transact(ctx, null, async (tx) => {
    await lockFacts(tx, orgId)
    await tx
      .updateTable('policies')
      .set({ status: 'deprecated', takes_votes_when_inactive: false })
      .where('org_id', '=', orgId)
      .where('id', '=', policyId)
      .execute()
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'template.closed',
      subjectId: policyId,
      actor: { kind: 'system' },
      at: ctx.clock.now(),
      facts: {},
    })
  })
}
