import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../context.ts'
import { admitCalls } from '../shared/admission.ts'
import { rateLimiter } from '../shared/rate-limit.ts'
import { authenticator, hasIdempotencyKey, readIdempotencyKey } from './auth.ts'
import { answerError, answerUnknownRoute } from './error-answer.ts'
import { refuseMissingScope } from './machine-auth.ts'
import { actionTestRoutes } from './routes/action-tests.ts'
import { agentManagementRoutes } from './routes/agent-management.ts'
import { agentSignInRoutes } from './routes/agent-sign-in.ts'
import { agentRoutes } from './routes/agents.ts'
import { auditLogRoutes } from './routes/audit-log.ts'
import { apiKeyRoutes } from './routes/api-keys.ts'
import { authInfoRoutes } from './routes/auth-info.ts'
import { cliSignInRoutes } from './routes/cli-sign-in.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { grantRoutes } from './routes/grants.ts'
import { groupRoutes } from './routes/groups.ts'
import { logRoutes } from './routes/log.ts'
import { organizationAdminRoutes } from './routes/organization-admins.ts'
import { quotaRoutes } from './routes/quotas.ts'
import { requestRoutes } from './routes/requests.ts'
import { resourceRoutes } from './routes/resources.ts'
import { roleRoutes } from './routes/roles.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { spaceRoutes } from './routes/spaces.ts'
import { stepUpRoutes } from './routes/step-up.ts'
import { templateRoutes } from './routes/templates.ts'
import { userRoutes } from './routes/users.ts'
import { voteRoutes } from './routes/votes.ts'
import { webhookKeyRoutes } from './routes/webhook-keys.ts'
import { watchingRoutes } from './routes/watching.ts'
import { webSignInRoutes } from './routes/web-sign-in.ts'
import { workflowRoutes } from './routes/workflows.ts'

/**
 * The Approvio API at `/`, with our own additions under `/v1` (contract `approvio.md`).
 * @param answerUnknown of every path that no route takes and no other dialect answers
 */
export async function nativeDialect(
  app: FastifyInstance,
  ctx: Ctx,
  answerUnknown: typeof answerUnknownRoute = answerUnknownRoute,
): Promise<void> {
  await app.register(cookie)
  // Shapes are checked by the parsers of `wire/`, which know the contract's code for each field; route schemas describe
  // them for readers and shape the answers.
  app.setValidatorCompiler(() => () => true)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(answerUnknown)
  admitCalls(app, ctx, { authenticate: authenticator(ctx), limitCalls: rateLimiter(ctx), refuseMissingScope })
  app.addHook('preHandler', (request, _reply, done) => {
    if (!hasIdempotencyKey(request)) return done()
    readIdempotencyKey(ctx, request).then(() => done(), done)
  })

  cliSignInRoutes(app, ctx)
  agentSignInRoutes(app, ctx)
  webSignInRoutes(app, ctx)
  stepUpRoutes(app, ctx)
  sessionRoutes(app, ctx)
  authInfoRoutes(app, ctx)
  userRoutes(app, ctx)
  agentRoutes(app, ctx)
  apiKeyRoutes(app, ctx)
  webhookKeyRoutes(app, ctx)
  deliveryRoutes(app, ctx)
  actionTestRoutes(app, ctx)
  agentManagementRoutes(app, ctx)
  roleRoutes(app, ctx)
  groupRoutes(app, ctx)
  grantRoutes(app, ctx)
  spaceRoutes(app, ctx)
  organizationAdminRoutes(app, ctx)
  voteRoutes(app, ctx)
  quotaRoutes(app, ctx)
  auditLogRoutes(app, ctx)
  logRoutes(app, ctx)
  resourceRoutes(app, ctx)
  workflowRoutes(app, ctx)
  requestRoutes(app, ctx)
  watchingRoutes(app, ctx)
  templateRoutes(app, ctx)
}
