import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import {
  findManagedAgent,
  findManagedAgentForUpdate,
  findUserOfPerson,
  type AgentKeyOrName,
  type ManagedAgentRow,
} from '../../store/managed-agents.ts'
import type { Db, Tx } from '../../store/open.ts'
import type { Actor } from '../actor.ts'
import { requireAdmin, requireHuman } from '../authorize.ts'

export type { AgentKeyOrName }

/** An agent as who manages it sees it. */
export interface ManagedAgent extends ManagedAgentRow {
  /** The user who answers for it; null when they left the organization. */
  readonly ownerId: string | null
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED, AGENT_NOT_FOUND */
export async function readManagedAgent(ctx: Ctx, actor: Actor, key: AgentKeyOrName): Promise<ManagedAgent> {
  requirePersonOrAdminKey(actor)
  return await withOwner(ctx.db, actor.orgId, requireManager(actor, await findManagedAgent(ctx.db, actor.orgId, key)))
}

/**
 * The agent, for a change by an organization admin or by the person who answers for it. Every other change waits.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, AGENT_NOT_FOUND
 */
export async function lockManagedAgent(tx: Tx, actor: Actor, key: AgentKeyOrName): Promise<ManagedAgentRow> {
  requirePersonOrAdminKey(actor)
  return requireManager(actor, await findManagedAgentForUpdate(tx, actor.orgId, key))
}

/** What an admin revoked only an admin brings back. @throws AppError REQUESTOR_NOT_AUTHORIZED */
export function requireMayRestore(actor: Actor, agent: ManagedAgentRow): void {
  if (!agent.revoked_by_admin || actor.isAdmin) return
  const who = 'An organization admin revoked the agent: only an admin may restore it.'
  throw new AppError('REQUESTOR_NOT_AUTHORIZED', who)
}

/** Tightening is for whoever manages the agent, loosening for admins. @throws AppError REQUESTOR_NOT_AUTHORIZED */
export function requireMaySetBinding(actor: Actor, agent: ManagedAgentRow, dpopRequired: boolean): void {
  if (agent.dpop_required && !dpopRequired) requireAdmin(actor)
}

export async function withOwner(db: Db, orgId: string, agent: ManagedAgentRow): Promise<ManagedAgent> {
  const owner = agent.person_id === null ? undefined : await findUserOfPerson(db, orgId, agent.person_id)
  return { ...agent, ownerId: owner ?? null }
}

// Any member may read which agents there are, so telling an unknown one from one of others gives nothing away.
function requireManager(actor: Actor, agent: ManagedAgentRow | undefined): ManagedAgentRow {
  if (agent === undefined) throw new AppError('AGENT_NOT_FOUND')
  const answersForIt = actor.personId !== null && actor.personId === agent.person_id
  if (!actor.isAdmin && !answersForIt) {
    const who = 'Only an organization admin or the person who answers for the agent may do this.'
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', who)
  }
  return agent
}

/** People, and the operator's admin key. @throws AppError REQUESTOR_NOT_AUTHORIZED */
function requirePersonOrAdminKey(actor: Actor): void {
  if (actor.machine?.kind !== 'admin-key') requireHuman(actor)
}
