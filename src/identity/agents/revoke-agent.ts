import { appendLeaf } from '../../audit/append.ts'
import type { LeafKind } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { deleteOpenChallenges } from '../../store/agent-challenges.ts'
import { updateAgent } from '../../store/managed-agents.ts'
import { revokeApiKeysOf } from '../../store/api-keys.ts'
import type { Tx } from '../../store/open.ts'
import { lockSessions } from '../../store/sessions.ts'
import { transact } from '../../store/unit-of-work.ts'
import { lockFacts } from '../../store/voting.ts'
import { leafActorOf, loadActor, type Actor, type Caller } from '../actor.ts'
import { refuseApiKey } from '../api-keys/access.ts'
import { endSessionsOf } from '../end-sessions.ts'
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
  refuseApiKey(caller)
  const { orgId } = caller
  await transact(ctx, caller.once, async (tx) => {
    // Takes eligibility away: every vote is counted wholly before it or wholly after (ADR 3).
    await lockFacts(tx, orgId)
    const actor = await loadActor(tx, caller)
    const agent = await lockManagedAgent(tx, actor, key)
    if ((agent.disabled_at !== null) === isRevoked) return
    const at = ctx.clock.now()
    await updateAgent(tx, orgId, agent.id, { disabled_at: isRevoked ? at : null })
    if (isRevoked) await endSignIns(ctx, tx, { orgId, id: agent.id }, actor, 'agent-revoked')
    const kind: LeafKind = isRevoked ? 'agent.revoked' : 'agent.restored'
    await appendLeaf(tx, { orgId, kind, subjectId: agent.id, actor: leafActorOf(actor), at, facts: {} })
  })
}

/** What an agent could still sign in or go on with: its open challenges, its sessions and their tokens, its API keys. */
export async function endSignIns(
  ctx: Ctx,
  tx: Tx,
  agent: { readonly orgId: string; readonly id: string },
  actor: Actor,
  because: 'agent-revoked' | 'key-rotated',
): Promise<void> {
  // First, so that a sign-in on one of them has either issued its tokens before the next statement sees them or fails.
  await deleteOpenChallenges(tx, agent.orgId, agent.id)
  await lockSessions(tx, agent.orgId, agent.id)
  const ending = { orgId: agent.orgId, principalId: agent.id, only: null, actor: leafActorOf(actor), because } as const
  await endSessionsOf(ctx, tx, ending)
  await revokeApiKeysOf(tx, agent.orgId, agent.id, ctx.clock.now())
}
