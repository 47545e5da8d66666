import { appendLeaf } from '../../audit/append.ts'
import type { LeafKind } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { endAgentSignIns } from '../../store/agent-sign-ins.ts'
import { updateAgent } from '../../store/managed-agents.ts'
import type { Tx } from '../../store/open.ts'
import { transact } from '../../store/unit-of-work.ts'
import { lockFacts } from '../../store/voting.ts'
import { accessTokenSeconds } from '../access-token.ts'
import { leafActorOf, loadActor, type Caller } from '../actor.ts'
import { lockManagedAgent, type AgentKeyOrName } from './managed-agent.ts'

/**
 * Shuts an agent out: its next call is refused on every process, and what it could sign in or go on with has ended.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, AGENT_NOT_FOUND
 */
export async function revokeAgent(ctx: Ctx, caller: Caller, key: AgentKeyOrName): Promise<void> {
  await setRevoked(ctx, caller, key, true)
}

/** Lets a revoked agent in again; it signs in anew. @throws AppError REQUESTOR_NOT_AUTHORIZED, AGENT_NOT_FOUND */
export async function restoreAgent(ctx: Ctx, caller: Caller, key: AgentKeyOrName): Promise<void> {
  await setRevoked(ctx, caller, key, false)
}

async function setRevoked(ctx: Ctx, caller: Caller, key: AgentKeyOrName, isRevoked: boolean): Promise<void> {
  const { orgId } = caller
  await transact(ctx, caller.once, async (tx) => {
    // Takes eligibility away: every vote is counted wholly before it or wholly after (ADR 3).
    await lockFacts(tx, orgId)
    const actor = await loadActor(tx, caller)
    const agent = await lockManagedAgent(tx, actor, key)
    if ((agent.disabled_at !== null) === isRevoked) return
    const at = ctx.clock.now()
    await updateAgent(tx, orgId, agent.id, { disabled_at: isRevoked ? at : null })
    if (isRevoked) await endSignIns(tx, orgId, agent.id, at)
    const kind: LeafKind = isRevoked ? 'agent.revoked' : 'agent.restored'
    await appendLeaf(tx, { orgId, kind, subjectId: agent.id, actor: leafActorOf(actor), at, facts: {} })
  })
}

/** Challenges, refresh tokens and sessions of the agent, and the sessions' access tokens. */
export async function endSignIns(tx: Tx, orgId: string, agentId: string, at: Date): Promise<void> {
  await endAgentSignIns(tx, orgId, agentId, at, new Date(at.getTime() - accessTokenSeconds * 1000))
}
