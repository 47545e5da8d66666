import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { assignRoles } from '../../../identity/assign-roles.ts'
import { findAgent } from '../../../identity/find-profile.ts'
import { listAgents } from '../../../identity/list-agents.ts'
import { registerAgent } from '../../../identity/register-agent.ts'
import { removeRoles } from '../../../identity/remove-roles.ts'
import {
  getAgentSchema,
  listAgentsSchema,
  parseAgentKey,
  parseAgentName,
  registerAgentSchema,
  renderAgent,
  renderRegistration,
} from '../wire/agents.ts'
import { uuidOf } from '../wire/ids.ts'
import { locationOf } from '../wire/location.ts'
import { cappedAt, parsePage, renderPagination } from '../wire/pages.ts'
import { parseRoleOperation, roleCallSchema } from '../wire/roles.ts'

interface AgentPath {
  readonly Params: { readonly agentId: string }
}

/** Agents and their roles (contract §1.7). */
export function agentRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/agents', { schema: listAgentsSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const page = parsePage(request.query, cappedAt(1000))
    const { items, total } = await listAgents(ctx, actor, page)
    return { agents: items, pagination: renderPagination(page, total) }
  })

  app.post('/agents/register', { schema: registerAgentSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const agent = await registerAgent(ctx, actor, parseAgentName(request.body))
    reply.code(201).header('location', locationOf(ctx, request, agent.id, '/agents'))
    return renderRegistration(agent)
  })

  app.get<AgentPath>('/agents/:agentId', { schema: getAgentSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderAgent(await findAgent(ctx, actor, parseAgentKey(request.params.agentId)))
  })

  const assignSchema = roleCallSchema("Replace an agent's roles", 'agents')
  app.put<AgentPath>('/agents/:agentId/roles', { schema: assignSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const { items, version } = parseRoleOperation(request.body)
    await assignRoles(ctx, actor, { kind: 'agent', id: uuidOf(request.params.agentId) }, items, version)
    return await reply.code(204).send()
  })

  const removeSchema = roleCallSchema('Take roles from an agent', 'agents')
  app.delete<AgentPath>('/agents/:agentId/roles', { schema: removeSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const { items, version } = parseRoleOperation(request.body)
    await removeRoles(ctx, actor, { kind: 'agent', id: uuidOf(request.params.agentId) }, items, version)
    return await reply.code(204).send()
  })
}
