import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { authenticator, readIdempotencyKey } from './auth.ts'
import { addJsonParser, refuseUnstorableText } from './body.ts'
import { answerError, answerUnknownRoute } from './error-answer.ts'
import { agentRoutes } from './routes/agents.ts'
import { authInfoRoutes } from './routes/auth-info.ts'
import { cliSignInRoutes } from './routes/cli-sign-in.ts'
import { groupRoutes } from './routes/groups.ts'
import { organizationAdminRoutes } from './routes/organization-admins.ts'
import { roleRoutes } from './routes/roles.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { spaceRoutes } from './routes/spaces.ts'
import { stepUpRoutes } from './routes/step-up.ts'
import { templateRoutes } from './routes/templates.ts'
import { userRoutes } from './routes/users.ts'
import { voteRoutes } from './routes/votes.ts'
import { webSignInRoutes } from './routes/web-sign-in.ts'
import { workflowRoutes } from './routes/workflows.ts'

/** The Approvio API at `/`, with our own additions under `/v1` (contract `approvio.md`). */
export async function nativeDialect(app: FastifyInstance, ctx: Ctx): Promise<void> {
  addJsonParser(app)
  await app.register(cookie)
  // Shapes are checked by the parsers of `wire/`, which know the contract's code for each field; route schemas describe
  // them for readers and shape the answers.
  app.setValidatorCompiler(() => () => true)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(answerUnknownRoute)
  // The order of contract §0: lever, token, then the shape of what was sent.
  const authenticate = authenticator(ctx)
  app.addHook('onRequest', async (request) => {
    refuseByLever(ctx, request)
    await authenticate(request)
  })
  app.addHook('preHandler', (request, _reply, done) => {
    refuseUnstorableText(request)
    readIdempotencyKey(request)
    done()
  })

  cliSignInRoutes(app, ctx)
  webSignInRoutes(app, ctx)
  stepUpRoutes(app, ctx)
  sessionRoutes(app, ctx)
  authInfoRoutes(app, ctx)
  userRoutes(app, ctx)
  agentRoutes(app, ctx)
  roleRoutes(app, ctx)
  groupRoutes(app, ctx)
  spaceRoutes(app, ctx)
  organizationAdminRoutes(app, ctx)
  voteRoutes(app, ctx)
  workflowRoutes(app, ctx)
  templateRoutes(app, ctx)
}

const writing = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Levers act before anything is known about the caller (contract §7.5). */
function refuseByLever({ config: { levers } }: Ctx, request: FastifyRequest): void {
  if (levers.has('read_only_mode') && writing.has(request.method)) {
    throw new AppError('SERVICE_UNAVAILABLE', 'The server is in read-only mode.')
  }
  const { lever } = request.routeOptions.config
  if (lever !== undefined && levers.has(lever)) {
    throw new AppError('SERVICE_UNAVAILABLE', 'This is switched off at the moment.')
  }
}
