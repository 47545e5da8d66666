import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { authenticator, readIdempotencyKey } from './auth.ts'
import { addJsonParser, refuseUnstorableText } from './body.ts'
import { answerError, answerUnknownRoute } from './error-answer.ts'
import { agentRoutes } from './routes/agents.ts'
import { authInfoRoutes } from './routes/auth-info.ts'
import { groupRoutes } from './routes/groups.ts'
import { organizationAdminRoutes } from './routes/organization-admins.ts'
import { roleRoutes } from './routes/roles.ts'
import { spaceRoutes } from './routes/spaces.ts'
import { userRoutes } from './routes/users.ts'
import { voteRoutes } from './routes/votes.ts'

/** The Approvio API at `/`, with our own additions under `/v1` (contract `approvio.md`). */
export async function nativeDialect(app: FastifyInstance, ctx: Ctx): Promise<void> {
  addJsonParser(app)
  // Shapes are checked by the parsers of `wire/`, which know the contract's code for each field; route schemas describe
  // them for readers and shape the answers.
  app.setValidatorCompiler(() => () => true)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(answerUnknownRoute)
  // The order of contract §0: lever, token, then the shape of what was sent.
  app.addHook('onRequest', async (request) => refuseInReadOnlyMode(ctx, request))
  app.addHook('onRequest', authenticator(ctx))
  app.addHook('preHandler', refuseUnstorableText)
  app.addHook('preHandler', readIdempotencyKey)

  authInfoRoutes(app, ctx)
  userRoutes(app, ctx)
  agentRoutes(app, ctx)
  roleRoutes(app, ctx)
  groupRoutes(app, ctx)
  spaceRoutes(app, ctx)
  organizationAdminRoutes(app, ctx)
  voteRoutes(app, ctx)
}

const writing = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

function refuseInReadOnlyMode(ctx: Ctx, request: FastifyRequest): void {
  if (ctx.config.levers.has('read_only_mode') && writing.has(request.method)) {
    throw new AppError('SERVICE_UNAVAILABLE', 'The server is in read-only mode.')
  }
}
