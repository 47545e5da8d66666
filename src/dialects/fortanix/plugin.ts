import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../context.ts'
import { admitCalls } from '../shared/admission.ts'
import { rateLimiter } from '../shared/rate-limit.ts'
import { authenticator, callerIdOf } from './auth.ts'
import { answerError, answerUnknownRoute } from './error-answer.ts'
import { pathsOf } from './other-methods.ts'
import { accountOperations } from './account-operations.ts'
import { keyOperations } from './key-operations.ts'
import { accountRoutes } from './routes/accounts.ts'
import { approvalRequestRoutes } from './routes/approval-requests.ts'
import { protectedRoutes } from './routes/protected.ts'
import { appRoutes } from './routes/apps.ts'
import { groupRoutes } from './routes/groups.ts'
import { keyRoutes } from './routes/keys.ts'
import { sessionRoutes } from './routes/session.ts'
import { userRoutes } from './routes/users.ts'

/** The routes of one area, paths as they are below its prefix. */
type Routes = (app: FastifyInstance, ctx: Ctx) => void

/** By prefix (contract fortanix §1). */
const areas: Readonly<Record<string, readonly Routes[]>> = {
  '/sys/v1': [
    sessionRoutes,
    userRoutes,
    accountRoutes,
    groupRoutes,
    appRoutes,
    approvalRequestRoutes,
    protectedRoutes('/sys/v1', accountOperations),
  ],
  '/crypto/v1': [keyRoutes, protectedRoutes('/crypto/v1', keyOperations)],
}

/** Whether an address is one of this dialect, whatever is wrong with the rest of it. */
export function isFortanixPath(url: string): boolean {
  return Object.keys(areas).some((prefix) => url.startsWith(`${prefix}/`))
}

/** Accounts, keys and what needs approval of theirs, as contract fortanix has them. */
export async function fortanixDialect(app: FastifyInstance, ctx: Ctx): Promise<void> {
  const frame = frameOf(ctx)
  for (const [prefix, routes] of Object.entries(areas)) {
    await app.register(
      async (area) => {
        frame(area)
        for (const add of routes) add(area, ctx)
      },
      { prefix },
    )
  }
}

/** What the areas have in common: bodies, errors, who is calling, and how often. */
function frameOf(ctx: Ctx): (app: FastifyInstance) => void {
  const authenticate = authenticator(ctx)
  const limitCalls = rateLimiter(ctx, callerIdOf)
  return (app) => {
    app.setErrorHandler(answerError)
    const isPath = pathsOf(app)
    app.setNotFoundHandler((request, reply) => answerUnknownRoute(request, reply, isPath(request.url)))
    app.addHook('onRequest', (request, _reply, done) => {
      // Whatever it says counts for nothing, and one that is no media type would be refused.
      delete request.raw.headers['content-type']
      done()
    })
    admitCalls(app, ctx, { authenticate, limitCalls })
  }
}
