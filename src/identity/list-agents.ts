import type { Ctx } from '../context.ts'
import { countAgents, listAgents as findAgents, type AgentSummaryRow } from '../store/agents.ts'
import type { Listed, Page } from '../store/page.ts'
import type { Actor } from './actor.ts'

export type AgentSummary = AgentSummaryRow

/** Agents of the organization, oldest first. */
export async function listAgents(ctx: Ctx, actor: Actor, page: Page): Promise<Listed<AgentSummary>> {
  const items = await findAgents(ctx.db, actor.orgId, page)
  return { items, total: await countAgents(ctx.db, actor.orgId) }
}
