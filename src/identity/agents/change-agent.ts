import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findEnabledPerson, insertFormerOwner, updateAgent } from '../../store/managed-agents.ts'
import type { Tx } from '../../store/open.ts'
import { transact } from '../../store/unit-of-work.ts'
import { lockFacts } from '../../store/fact-locks.ts'
import { leafActorOf, loadActor, type Caller } from '../actor.ts'
import { refuseApiKey } from '../api-keys/access.ts'
import { endApiKeysOf } from '../api-keys/revoke.ts'
import { requireAdmin } from '../authorize.ts'
import {
  lockManagedAgent,
  requireMaySetBinding,
  withOwner,
  type AgentKeyOrName,
  type ManagedAgent,
} from './managed-agent.ts'

/** What to change; null leaves it as it is. */
export interface AgentChanges {
  readonly dpopRequired: boolean | null
  /** Id of the user who shall answer for the agent. */
  readonly ownerId: string | null
}

/**
 * Changes whether an agent must bind its tokens, and who answers for it. For organization admins alone: to let it do without
 * binding, which they may have ordered; and to name another owner, since an agent may count as that person (contract §10 ruling
 * 7). The owner before knows its API keys, so they are revoked.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, AGENT_NOT_FOUND, REFERENCED_USER_NOT_FOUND
 */
export async function changeAgent(
  ctx: Ctx,
  caller: Caller,
  key: AgentKeyOrName,
  { dpopRequired, ownerId }: AgentChanges,
): Promise<ManagedAgent> {
  refuseApiKey(caller)
  const { orgId } = caller
  return await transact(ctx, caller.once, async (tx) => {
    // Another owner may make two votes one: counted wholly before this or wholly after.
    await lockFacts(tx, orgId)
    const actor = await loadActor(tx, caller)
    const agent = await lockManagedAgent(tx, actor, key)
    if (ownerId !== null) requireAdmin(actor)
    if (dpopRequired !== null) requireMaySetBinding(actor, agent, dpopRequired)
    const change = {
      ...(dpopRequired !== null && { dpop_required: dpopRequired }),
      ...(ownerId !== null && { person_id: await requirePerson(tx, orgId, ownerId) }),
    }
    const changed = { ...agent, ...change }
    const isChanged = changed.dpop_required !== agent.dpop_required || changed.person_id !== agent.person_id
    if (isChanged) {
      const by = leafActorOf(actor)
      await updateAgent(tx, orgId, agent.id, change)
      if (changed.person_id !== agent.person_id) {
        if (agent.person_id !== null) await insertFormerOwner(tx, orgId, agent.id, agent.person_id)
        await endApiKeysOf(ctx, tx, { orgId, holder: { principalId: agent.id }, actor: by })
      }
      await appendLeaf(ctx, tx, {
        orgId,
        kind: 'agent.changed',
        subjectId: agent.id,
        actor: by,
        at: ctx.clock.now(),
        facts: { dpopRequired: changed.dpop_required, person: changed.person_id },
      })
    }
    return await withOwner(tx, orgId, changed)
  })
}

async function requirePerson(tx: Tx, orgId: string, userId: string): Promise<string> {
  const personId = await findEnabledPerson(tx, orgId, userId)
  if (personId === undefined) throw new AppError('REFERENCED_USER_NOT_FOUND', undefined, { field: 'ownerId' })
  return personId
}
