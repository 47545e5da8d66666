import { setTimeout } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import type { Ctx } from './context.ts'

/** What an operator and their tools ask for: health, metrics and the API's description. No sign-in, nothing secret. */
export function operations(app: FastifyInstance, ctx: Ctx): void {
  app.get(
    '/health',
    { schema: { tags: ['Operations'], summary: 'Whether requests can be served', security: [] } },
    async (_request, reply) => {
      try {
        await Promise.race([sql`select 1`.execute(ctx.db), failAfter(healthMilliseconds)])
        return { status: 'OK' }
      } catch {
        return reply.code(503).send({ status: 'DEPENDENCY_ERROR', message: 'The store cannot be reached.' })
      }
    },
  )

  // A browser is shown what there is to see; anyone else asked for a route that does not exist.
  app.get('/', { schema: { hide: true } }, async (request, reply) => {
    if (request.headers.accept?.includes('text/html') === true) return await reply.redirect('/docs')
    reply.callNotFound()
    return reply
  })

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())

  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.type(ctx.metrics.registry.contentType)
    return await ctx.metrics.registry.metrics()
  })
}

/** A database that does not refuse but is silent is unreachable as well. */
const healthMilliseconds = 2_000

async function failAfter(milliseconds: number): Promise<never> {
  await setTimeout(milliseconds, undefined, { ref: false })
  throw new Error('the store does not answer')
}
