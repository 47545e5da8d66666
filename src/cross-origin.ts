import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import type { Ctx } from './context.ts'

/**
 * Lets the web UI call from its own origin, with cookies, and nobody else (contract §7.2). The origin answered is the
 * configured one, never the one that was sent.
 */
export async function allowFrontend(app: FastifyInstance, ctx: Ctx): Promise<void> {
  await app.register(cors, {
    // Asked on every call: the public URL is known only once the listener is.
    origin: (origin, decide) => {
      if (origin === undefined) return decide(null, false)
      const allowed = new URL(ctx.frontendUrl).origin
      decide(null, origin === allowed ? allowed : false)
    },
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['Location', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'traceparent'],
    // Whatever lacks the headers of a preflight is an unknown route like any other OPTIONS, not a text of the plugin's.
    strictPreflight: false,
    maxAge: 600,
  })
}
