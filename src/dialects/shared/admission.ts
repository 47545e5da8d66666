import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { addBodyParser, refuseUnstorableText } from './body.ts'
import { refuseByLever } from './levers.ts'

export interface Admission {
  readonly authenticate: (request: FastifyRequest) => Promise<void>
  readonly limitCalls: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  /** Whatever else is asked of who calls, once the call has been counted. */
  readonly refuseMissingScope?: (request: FastifyRequest) => void
}

/**
 * What every call goes through before a handler sees it, in this order (contract §0): levers, who calls, how often, whether
 * their credential is for it; then whether path, query and body can be read and kept.
 */
export function admitCalls(
  app: FastifyInstance,
  ctx: Ctx,
  { authenticate, limitCalls, refuseMissingScope }: Admission,
): void {
  addBodyParser(app)
  app.addHook('onRequest', async (request, reply) => {
    refuseByLever(ctx, request)
    await authenticate(request)
    await limitCalls(request, reply)
    refuseMissingScope?.(request)
  })
  app.addHook('preHandler', (request, _reply, done) => {
    refuseUnstorableText(request)
    done()
  })
}
