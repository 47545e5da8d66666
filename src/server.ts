import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Ctx } from './context.ts'
import { developmentSignIn } from './identity/oidc/development/mount.ts'
import { answerError, answerUnreadable } from './dialects/native/error-answer.ts'
import { nativeDialect } from './dialects/native/plugin.ts'
import { operations } from './operations.ts'

/** The whole HTTP server, not listening: `main.ts` listens, tests inject. */
export async function buildServer(ctx: Ctx): Promise<FastifyInstance> {
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
    frameworkErrors: answerError,
    clientErrorHandler: answerUnreadable,
  })
  // The envelope of contract §0 wherever no dialect has its own.
  app.setErrorHandler(answerError)
  await app.register(swagger, { openapi: description })
  await app.register(swaggerUi, { routePrefix: '/docs', indexPrefix: '' })
  await app.register(async (scope) => operations(scope, ctx))
  if (ctx.config.signIn.kind === 'development') await app.register(async (scope) => developmentSignIn(scope, ctx))
  await app.register(async (scope) => nativeDialect(scope, ctx))
  return app
}

const description = {
  openapi: '3.1.0',
  info: {
    title: 'Quorate, native API',
    version: '0.1.0',
    description: 'The Approvio API, with additions under /v1. Refusals: {code, message, details?}; see docs/errors.md.',
  },
  components: {
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      cookie: { type: 'apiKey', in: 'cookie', name: 'access_token' },
    },
  },
  security: [{ bearer: [] }, { cookie: [] }],
} satisfies FastifyDynamicSwaggerOptions['openapi']
