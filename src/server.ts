import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Ctx } from './context.ts'
import { answerError } from './dialects/native/error-answer.ts'
import { nativeDialect } from './dialects/native/plugin.ts'
import { operations } from './operations.ts'

/** The whole HTTP server, not listening: `main.ts` listens, tests inject. */
export async function buildServer(ctx: Ctx): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: ctx.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // Past this a body is refused before it is read (contract §0: every refusal is an answer, never a hang).
    bodyLimit: 1024 * 1024,
    routerOptions: { maxParamLength: 2048 },
    forceCloseConnections: 'idle',
    // A path that is no path reaches no dialect.
    frameworkErrors: answerError,
  })
  await app.register(async (scope) => operations(scope, ctx))
  await app.register(async (scope) => nativeDialect(scope, ctx))
  return app
}
