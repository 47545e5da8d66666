import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../context.ts'
import { admitCalls } from '../shared/admission.ts'
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

interface Service {
  /** All that is under it is ours, whether or not a route takes it. */
  readonly root: string
  /** Where its routes are below that. */
  readonly base: string
  readonly routes: readonly Routes[]
}

/** The services of contract privx §1. Under `/auth` there are native routes too. */
const services: readonly Service[] = [
  { root: '/workflow-engine', base: '/api/v1', routes: [workflowRoutes, requestRoutes, settingsRoutes] },
  { root: '/auth/api', base: '/v1', routes: [authRoutes] },
  { root: '/role-store', base: '/api/v1', routes: [roleStoreRoutes] },
  { root: '/local-user-store', base: '/api/v1', routes: [localUserStoreRoutes] },
]

/** Whether a path belongs to this dialect, be there a route or none. */
export function isPrivxPath(url: string): boolean {
  const [path = ''] = url.split(/[?#]/, 1)
  return services.some(({ root }) => path === root || path.startsWith(`${root}/`))
}

/** The workflow engine of contract privx, with as much of its neighbours as a stock client needs. */
export async function privxDialect(app: FastifyInstance, ctx: Ctx): Promise<void> {
  const frame = frameOf(ctx)
  const status = statusOf(ctx.clock.now())
  for (const { root, base, routes } of services) {
    await app.register(
      async (scope) => {
        frame(scope)
        await scope.register(
          async (service) => {
            service.get('/status', { config: { public: true } }, () => status)
            for (const add of routes) add(service, ctx)
          },
          { prefix: base },
        )
      },
      { prefix: root },
    )
  }
}

/** What the services have in common: bodies, errors, who is calling, and how often. */
function frameOf(ctx: Ctx): (app: FastifyInstance) => void {
  const authenticate = authenticator(ctx)
  const limitCalls = rateLimiter(ctx)
  return (app) => {
    app.setErrorHandler(answerError)
    app.setNotFoundHandler(answerUnknownRoute)
    admitCalls(app, ctx, { authenticate, limitCalls, refuseMissingScope })
  }
}
