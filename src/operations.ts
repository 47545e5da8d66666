import type { FastifyInstance } from 'fastify'
import type { Ctx } from './context.ts'
import { health } from './health.ts'

/** What an operator and their tools ask for: health and metrics. No sign-in, nothing secret. */
export function operations(app: FastifyInstance, ctx: Ctx): void {
  health(app, ctx)

  // A browser is shown what there is to see; anyone else asked for a route that does not exist.
  app.get('/', { schema: { hide: true } }, async (request, reply) => {
    if (request.headers.accept?.includes('text/html') === true) return await reply.redirect('/docs')
    reply.callNotFound()
    return reply
  })

  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.type(ctx.metrics.registry.contentType)
    return await ctx.metrics.registry.metrics()
  })
}
