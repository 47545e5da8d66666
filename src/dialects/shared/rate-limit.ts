import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { callerIdOf } from '../../identity/actor.ts'
import { callLimiter, windowSeconds } from '../../identity/call-limiter.ts'
import './caller.ts'

/**
 * Holds each user, each agent and each API key by itself to the configured number of calls a minute, and says on every answer to them how they stand
 * (contract §7.4). To be asked once the caller is known, before anything is looked at that they sent.
 * @param callerOf who that is; null for nobody
 */
export function rateLimiter(
  ctx: Ctx,
  callerOf: (request: FastifyRequest) => string | null = signedIn,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const { rateLimit: limit } = ctx.config
  const take = callLimiter(ctx, limit)
  return async (request, reply) => {
    const caller = callerOf(request)
    if (limit === 0 || caller === null) return
    const { isOver, remaining, resetsAt } = await take(caller)
    const resetSeconds = Math.ceil((resetsAt.getTime() - ctx.clock.now().getTime()) / 1000)
    reply.headers({
      RateLimit: `limit=${limit}, remaining=${remaining}, reset=${resetSeconds}`,
      'RateLimit-Policy': `${limit};w=${windowSeconds}`,
      'Retry-After': resetsAt.toUTCString(),
    })
    if (isOver) throw new AppError('TOO_MANY_REQUESTS')
  }
}

/** Null while nobody is. */
function signedIn({ caller }: FastifyRequest): string | null {
  return caller === undefined || caller === null ? null : callerIdOf(caller)
}
