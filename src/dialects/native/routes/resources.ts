import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { resolveResources } from '../../../identity/resolve-resources.ts'
import { parseResources, renderResolution, resolveSchema } from '../wire/resources.ts'

/** Names for ids (contract §1.11). */
export function resourceRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post('/resources/resolve', { schema: resolveSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderResolution(await resolveResources(ctx, actor, parseResources(request.body)))
  })
}
