import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { describeApis } from './api-descriptions.ts'
import type { Config } from './config/config.ts'
import type { Ctx } from './context.ts'
import { allowFrontend } from './cross-origin.ts'
import { developmentSignIn } from './identity/oidc/development/mount.ts'
import * as fortanix from './dialects/fortanix/error-answer.ts'
import { fortanixDialect, isFortanixPath } from './dialects/fortanix/plugin.ts'
import * as native from './dialects/native/error-answer.ts'
import { nativeDialect } from './dialects/native/plugin.ts'
import * as privx from './dialects/privx/error-answer.ts'
import { isPrivxPath, privxDialect } from './dialects/privx/plugin.ts'
import { operations } from './operations.ts'
import { traceAnswer } from './trace.ts'

/** The whole HTTP server, not listening: `main.ts` listens, tests inject. */
export async function buildServer(ctx: Ctx): Promise<FastifyInstance> {
  const app = bareServer(ctx)
  app.addHook('onRequest', (request, reply, done) => {
    traceAnswer(request, reply)
    done()
  })
  await allowFrontend(app, ctx)
  await describeApis(app)
  await app.register(async (scope) => operations(scope, ctx))
  if (ctx.config.signIn.kind === 'development') await app.register(async (scope) => developmentSignIn(scope, ctx))
  await app.register(async (scope) => nativeDialect(scope, ctx, answerUnknownRoute))
  await app.register(async (scope) => privxDialect(scope, ctx))
  await app.register(async (scope) => fortanixDialect(scope, ctx))
  return app
}

/** What a process answers that only does jobs: health and metrics. */
export async function buildWorkerServer(ctx: Ctx): Promise<FastifyInstance> {
  const app = bareServer(ctx)
  await app.register(async (scope) => operations(scope, ctx))
  return app
}

function bareServer(ctx: Ctx): FastifyInstance {
  const app = Fastify({
    loggerInstance: ctx.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // A logger for each request costs more than most of what it would log; a fault names its request itself.
    childLoggerFactory: (logger) => logger,
    // Past this a body is refused before it is read (contract §0: every refusal is an answer, never a hang).
    bodyLimit: 1024 * 1024,
    routerOptions: { maxParamLength: 2048 },
    forceCloseConnections: 'idle',
    // What still arrives on an open connection while the server stops is done like everything in hand, and is its last.
    return503OnClosing: false,
    // Whoever sends half a request and then nothing may not hold a connection for ever.
    requestTimeout: 60_000,
    // A path that is no path reaches no dialect, and what is no HTTP reaches no route.
    frameworkErrors: (error, request, reply) => {
      traceAnswer(request, reply)
      if (isPrivxPath(request.url)) privx.answerUnroutable(error, request, reply)
      else if (isFortanixPath(request.url)) fortanix.answerError(error, request, reply)
      else native.answerError(error, request, reply)
    },
    clientErrorHandler: native.answerUnreadable,
    // Without one, whatever a client says of its address, scheme and host is ignored (contract §7.3).
    trustProxy: trustOf(ctx.config),
  })
  // The envelope of contract §0 wherever no dialect has its own.
  app.setErrorHandler((error, request, reply) =>
    (isPrivxPath(request.url) ? privx : native).answerError(error, request, reply),
  )
  app.decorateRequest('traceId')
  return app
}

/** A path that no route takes is answered in the words of whose prefix it is under. */
function answerUnknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return (isPrivxPath(request.url) ? privx : native).answerUnknownRoute(request, reply)
}

function trustOf({ trustedProxy }: Config): false | string[] | ((address: string, hop: number) => boolean) {
  if (typeof trustedProxy === 'number') return (_address, hop) => hop < trustedProxy
  return trustedProxy !== null && [...trustedProxy]
}
