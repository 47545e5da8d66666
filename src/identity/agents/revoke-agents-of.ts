import { appendLeaf } from '../../audit/append.ts'
import type { LeafActor } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { findAgentsOfPerson, updateAgent } from '../../store/managed-agents.ts'
import type { Tx } from '../../store/open.ts'
import { endSignIns } from './revoke-agent.ts'

/**
 * Shuts out the agents that a person answers for, as an admin's revocation does: nobody would answer for what they did. An
 * admin lets each in again, once the person is back or somebody else answers for it. Runs under `lockFacts`.
 * @returns the ids of all their agents, those that were shut out before among them
 */
export async function revokeAgentsOf(
  ctx: Ctx,
  tx: Tx,
  { orgId, personId, actor }: { readonly orgId: string; readonly personId: string; readonly actor: LeafActor },
): Promise<string[]> {
  const agents = await findAgentsOfPerson(tx, orgId, personId)
  for (const { id, disabled_at, revoked_by_admin } of agents) {
    if (disabled_at !== null && revoked_by_admin) continue
    const at = ctx.clock.now()
    await updateAgent(tx, orgId, id, { disabled_at: disabled_at ?? at, revoked_by_admin: true })
    await endSignIns(ctx, tx, { orgId, id }, actor, 'agent-revoked')
    await appendLeaf(ctx, tx, { orgId, kind: 'agent.revoked', subjectId: id, actor, at, facts: { byAdmin: true } })
  }
  return agents.map(({ id }) => id)
}
