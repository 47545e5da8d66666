import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { changeAgent } from '../../../identity/agents/change-agent.ts'
import { readManagedAgent } from '../../../identity/agents/managed-agent.ts'
import { restoreAgent, revokeAgent } from '../../../identity/agents/revoke-agent.ts'
import { rotateAgentKey } from '../../../identity/agents/rotate-key.ts'
import {
  changeAgentSchema,
  parseAgentChanges,
  parseNewKey,
  readManagedAgentSchema,
  renderManagedAgent,
  renderRotatedKey,
  restoreAgentSchema,
  revokeAgentSchema,
  rotateKeySchema,
} from '../wire/agent-management.ts'
import { parseAgentKey } from '../wire/agents.ts'

interface AgentPath {
  readonly Params: { readonly agentId: string }
}

/** What who answers for an agent, and organization admins, do with it: ours, under `/v1`. */
export function agentManagementRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get<AgentPath>('/v1/agents/:agentId', { schema: readManagedAgentSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderManagedAgent(await readManagedAgent(ctx, actor, parseAgentKey(request.params.agentId)))
  })

  app.patch<AgentPath>('/v1/agents/:agentId', { schema: changeAgentSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const changes = parseAgentChanges(request.body)
    return renderManagedAgent(await changeAgent(ctx, actor, parseAgentKey(request.params.agentId), changes))
  })

  app.post<AgentPath>('/v1/agents/:agentId/rotate-key', { schema: rotateKeySchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const publicKey = parseNewKey(request.body)
    reply.header('cache-control', 'no-store')
    return renderRotatedKey(await rotateAgentKey(ctx, actor, parseAgentKey(request.params.agentId), publicKey))
  })

  app.post<AgentPath>('/v1/agents/:agentId/revoke', { schema: revokeAgentSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    await revokeAgent(ctx, actor, parseAgentKey(request.params.agentId))
    return await reply.code(204).send()
  })

  app.post<AgentPath>('/v1/agents/:agentId/restore', { schema: restoreAgentSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    await restoreAgent(ctx, actor, parseAgentKey(request.params.agentId))
    return await reply.code(204).send()
  })
}
