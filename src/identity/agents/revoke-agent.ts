import { appendLeaf } from '../../audit/append.ts'
import type { LeafActor } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { deleteOpenChallenges } from '../../store/agent-challenges.ts'
import { isEnabledUser, updateAgent } from '../../store/managed-agents.ts'
import type { Tx } from '../../store/open.ts'
import { lockSessions } from '../../store/principal-locks.ts'
import { transact } from '../../store/unit-of-work.ts'
import { lockFacts } from '../../store/fact-locks.ts'
import { leafActorOf, loadActor, type Caller } from '../actor.ts'
import { refuseApiKey } from '../api-keys/access.ts'
import { endApiKeysOf } from '../api-keys/revoke.ts'
import { endSessionsOf } from '../end-sessions.ts'
import { lockManagedAgent, requireMayRestore, type AgentKeyOrName } from './managed-agent.ts'

/**
 * Shuts an agent out: its next call is refused on every process, and what it could sign in or go on with has ended. After a
 * revocation by an admin, also of what its owner had revoked before, only an admin restores it.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, AGENT_NOT_FOUND
 */
export async function revokeAgent(ctx: Ctx, caller: Caller, key: AgentKeyOrName): Promise<void> {
  refuseApiKey(caller)
  const { orgId } = caller
  await transact(ctx, caller.once, async (tx) => {
    // Takes eligibility away: every vote is counted wholly before it or wholly after (ADR 3).
    await lockFacts(tx, orgId)
    const actor = await loadActor(tx, caller)
    const agent = await lockManagedAgent(tx, actor, key)
    const byAdmin = agent.revoked_by_admin || actor.isAdmin
    if (agent.disabled_at !== null && agent.revoked_by_admin === byAdmin) return
    const at = ctx.clock.now()
    await updateAgent(tx, orgId, agent.id, { disabled_at: agent.disabled_at ?? at, revoked_by_admin: byAdmin })
    const by = leafActorOf(actor)
    await endSignIns(ctx, tx, { orgId, id: agent.id }, by, 'agent-revoked')
    const leaf = { orgId, subjectId: agent.id, actor: by, at, facts: { byAdmin } }
    await appendLeaf(ctx, tx, { ...leaf, kind: 'agent.revoked' })
  })
}

/**
 * Lets a revoked agent in again; it signs in anew.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, also for who is no admin when an admin revoked it; AGENT_NOT_FOUND;
 * REFERENCED_USER_NOT_FOUND while the person who answers for it is disabled or removed
 */
export async function restoreAgent(ctx: Ctx, caller: Caller, key: AgentKeyOrName): Promise<void> {
  refuseApiKey(caller)
  const { orgId } = caller
  await transact(ctx, caller.once, async (tx) => {
    await lockFacts(tx, orgId)
    const actor = await loadActor(tx, caller)
    const agent = await lockManagedAgent(tx, actor, key)
    if (agent.disabled_at === null) return
    requireMayRestore(actor, agent)
    if (agent.person_id !== null && !(await isEnabledUser(tx, orgId, agent.person_id))) {
      const problem = 'Whoever answers for the agent is disabled: name another owner first.'
      throw new AppError('REFERENCED_USER_NOT_FOUND', problem, { field: 'ownerId' })
    }
    await updateAgent(tx, orgId, agent.id, { disabled_at: null, revoked_by_admin: false })
    const leaf = { orgId, subjectId: agent.id, actor: leafActorOf(actor), at: ctx.clock.now(), facts: {} }
    await appendLeaf(ctx, tx, { ...leaf, kind: 'agent.restored' })
  })
}

/** What an agent could still sign in or go on with: its open challenges, its sessions and their tokens, its API keys. */
export async function endSignIns(
  ctx: Ctx,
  tx: Tx,
  agent: { readonly orgId: string; readonly id: string },
  by: LeafActor,
  because: 'agent-revoked' | 'key-rotated',
): Promise<void> {
  // First, so that a sign-in on one of them has either issued its tokens before the next statement sees them or fails.
  await deleteOpenChallenges(tx, agent.orgId, agent.id)
  await lockSessions(tx, agent.orgId, agent.id)
  const { orgId, id: principalId } = agent
  await endSessionsOf(ctx, tx, { orgId, principalId, only: null, actor: by, because })
  await endApiKeysOf(ctx, tx, { orgId, holder: { principalId }, actor: by })
}
