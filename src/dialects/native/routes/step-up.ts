import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { AppError } from '../../../errors.ts'
import { exchangeStepUp } from '../../../identity/oidc/exchange-step-up.ts'
import { startStepUp } from '../../../identity/oidc/start-step-up.ts'
import { cookies, setCookie } from '../cookies.ts'
import { parseStepUp, parseStepUpRedirect } from '../wire/sign-in.ts'
import { cliExchange, cliInitiate, webExchange, webInitiate } from '../wire/step-up.ts'

/** A fresh sign-in for one protected operation, from a shell and from a browser (contract §1.1, §1.2, §6.4). */
export function stepUpRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/auth/cli/initiatePrivilegedTokenExchange', cliInitiate, async (request, reply) => {
    const url = await startStepUp(ctx, request.caller, parseStepUpRedirect(request.query))
    return await reply.redirect(url, 302)
  })

  app.post('/auth/cli/exchangePrivilegedToken', cliExchange, async (request) => {
    const accessToken = await exchangeStepUp(ctx, request.caller, parseStepUp(request.body))
    return { accessToken }
  })

  app.post('/auth/web/initiatePrivilegedTokenExchange', webInitiate, async (request) => {
    const authorizationUrl = await startStepUp(ctx, request.caller, null).catch(initiationFailed)
    return { authorizationUrl }
  })

  app.post('/auth/web/exchangePrivilegedToken', webExchange, async (request, reply) => {
    const token = await exchangeStepUp(ctx, request.caller, parseStepUp(request.body))
    setCookie(ctx, reply, cookies.privilege, token)
    return await reply.code(204).send()
  })
}

/** The code that contract §1.2 has for it on the web. */
function initiationFailed(cause: unknown): never {
  if (cause instanceof AppError && cause.code === 'IDENTITY_PROVIDER_FAILED') {
    throw new AppError('INITIATION_FAILED', undefined, { cause })
  }
  throw cause
}
