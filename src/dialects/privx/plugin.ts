import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../context.ts'
import { addBodyParser, refuseUnstorableText } from '../shared/body.ts'
import { refuseByLever } from '../shared/levers.ts'
import { rateLimiter } from '../shared/rate-limit.ts'
import { authenticator, refuseMissingScope } from './auth.ts'
import { answerError, answerUnknownRoute } from './error-answer.ts'
import { authRoutes } from './routes/auth.ts'
import { localUserStoreRoutes } from './routes/local-user-store.ts'
import { requestRoutes } from './routes/requests.ts'
import { roleStoreRoutes } from './routes/role-store.ts'
import { settingsRoutes } from './routes/settings.ts'
import { workflowRoutes } from './routes/workflows.ts'
import { statusOf } from './wire/status.ts'

/** The routes of one service, paths as they are below its prefix. */
type Routes = (app: FastifyInstance, ctx: Ctx) => void

/** The services of contract privx §1, by prefix. */
const services: Readonly<Record<string, readonly Routes[]>> = {
  '/workflow-engine/api/v1': [workflowRoutes, requestRoutes, settingsRoutes],
  '/auth/api/v1': [authRoutes],
  '/role-store/api/v1': [roleStoreRoutes],
  '/local-user-store/api/v1': [localUserStoreRoutes],
}

// Under /auth there are native routes too.
const ours = /^\/(?:workflow-engine|role-store|local-user-store|auth\/api)(?:[/?#]|$)/

/** Whether a path belongs to this dialect, be there a route or none. */
export function isPrivxPath(url: string): boolean {
  return ours.test(url)
}

/** The workflow engine of contract privx, with as much of its neighbours as a stock client needs. */
export async function privxDialect(app: FastifyInstance, ctx: Ctx): Promise<void> {
  const frame = frameOf(ctx)
  for (const [prefix, routes] of Object.entries(services)) {
    await app.register(
      async (service) => {
        frame(service)
        for (const add of routes) add(service, ctx)
      },
      { prefix },
    )
  }
}

/** What the services have in common: bodies, errors, who is calling, and how often. */
function frameOf(ctx: Ctx): (app: FastifyInstance) => void {
  const authenticate = authenticator(ctx)
  const limitCalls = rateLimiter(ctx)
  const status = statusOf(ctx.clock.now())
  return (app) => {
    addBodyParser(app)
    // This is not the API that /openapi.json describes.
    app.addHook('onRoute', (route) => void (route.schema = { ...route.schema, hide: true }))
    app.setErrorHandler(answerError)
    app.setNotFoundHandler(answerUnknownRoute)
    app.addHook('onRequest', async (request, reply) => {
      refuseByLever(ctx, request)
      await authenticate(request)
      await limitCalls(request, reply)
      refuseMissingScope(request)
    })
    app.addHook('preHandler', (request, _reply, done) => {
      refuseUnstorableText(request)
      done()
    })
    app.get('/status', { config: { public: true } }, () => status)
  }
}
