import { setTimeout } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Ctx } from './context.ts'
import { AppError } from './errors.ts'

/** Whether requests can be served, and whether anything answers at all (contract §1.11). No sign-in, nothing secret. */
export function health(app: FastifyInstance, ctx: Ctx): void {
  const isReachable = storeCheck(ctx)
  const admit = oncePerSecond(ctx)

  for (const [path, schema] of [
    ['/health', { tags: ['Operations'], summary: 'Whether requests can be served', security: [] }],
    ['/internal/health', { hide: true }],
  ] as const) {
    app.get(path, { schema }, async (request, reply) => {
      admit(request.ip)
      if (await isReachable()) return { status: 'OK' }
      return reply.code(503).send({ status: 'DEPENDENCY_ERROR', message: 'The store cannot be reached.' })
    })
  }

  app.get('/ping', { schema: { hide: true } }, () => ({ status: 'OK' }))
}

/** How long an answer of the store is repeated: whoever asks more often asks nobody. */
const cacheMilliseconds = 1_000
/** A database that does not refuse but is silent is unreachable as well. */
const patienceMilliseconds = 2_000

function storeCheck({ db, clock }: Ctx): () => Promise<boolean> {
  let last: { readonly at: number; readonly answer: Promise<boolean> } | null = null
  return () => {
    const at = clock.now().getTime()
    if (last === null || at - last.at >= cacheMilliseconds) {
      const asked = sql`select 1`.execute(db).then(() => true)
      last = { at, answer: Promise.race([asked, falseAfter(patienceMilliseconds)]).catch(() => false) }
    }
    return last.answer
  }
}

/**
 * One call a second from each address. Counted in this process alone: whether it can be reached must not hang on a store.
 * @throws AppError TOO_MANY_REQUESTS
 */
function oncePerSecond({ config, clock }: Ctx): (address: string) => void {
  const lastCalls = new LRUCache<string, number>({ max: 10_000 })
  return (address) => {
    if (config.rateLimit === 0) return
    const now = clock.now().getTime()
    if (now - (lastCalls.get(address) ?? -Infinity) < 1_000) throw new AppError('TOO_MANY_REQUESTS')
    lastCalls.set(address, now)
  }
}

async function falseAfter(milliseconds: number): Promise<false> {
  await setTimeout(milliseconds, undefined, { ref: false })
  return false
}
