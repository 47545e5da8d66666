import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { AppError } from '../../../errors.ts'
import { accessTokenVerifier } from '../../../identity/access-token.ts'
import { signOut } from '../../../identity/end-sessions.ts'
import { purposeOfState } from '../../../identity/oidc/sign-in-flow.ts'
import { signInProviders } from '../../../identity/oidc/sign-in-providers.ts'
import { signIn } from '../../../identity/oidc/sign-in.ts'
import { startWebSignIn } from '../../../identity/oidc/start-web-sign-in.ts'
import { webCallbackPath } from '../../../identity/oidc/web-redirect.ts'
import { refreshTokens } from '../../../identity/refresh-tokens.ts'
import { clearCookie, cookies, flowCookie, readCookie, setCookie, setTokenCookies } from '../cookies.ts'
import { wireErrorOf } from '../error-answer.ts'
import { requireOwnSite } from '../own-site.ts'
import { deviceOf, parseCodeAndState } from '../wire/sign-in.ts'
import {
  callbackRoute,
  loginRoute,
  logoutRoute,
  parseProvider,
  providersRoute,
  refreshRoute,
} from '../wire/web-sign-in.ts'

/** Signing in with a browser, which keeps its tokens as cookies that no page can read (contract §1.2, §6.3). */
export function webSignInRoutes(app: FastifyInstance, ctx: Ctx): void {
  const verify = accessTokenVerifier(ctx.keys.token, ctx.clock)
  const providers = signInProviders(ctx.config.signIn)

  app.get('/auth/providers', providersRoute, async () =>
    providers.map(({ id, displayName }) => ({ id, displayName, loginUrl: `/auth/web/login?provider=${id}` })),
  )

  app.get('/auth/web/login', loginRoute, async (request, reply) => {
    parseProvider(request.query, providers)
    const { authorizationUrl, state, browserSecret } = await startWebSignIn(ctx).catch(initiationFailed)
    setCookie(ctx, reply, flowCookie(state), browserSecret)
    return await reply.redirect(authorizationUrl, 302)
  })

  // Whatever goes wrong, the person is in a browser and has to arrive somewhere.
  const sendToLogin = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const reason = wireErrorOf(error, request).code.toLowerCase()
    return reply.redirect(`${ctx.frontendUrl}/login?error=${reason}`, 302)
  }
  app.get(webCallbackPath, { ...callbackRoute, errorHandler: sendToLogin }, async (request, reply) => {
    const { code, state } = parseCodeAndState(request.query)
    // There is one redirect URI to register at the provider: a step-up is finished by the page that began it.
    if ((await purposeOfState(ctx, state)) === 'step-up') {
      return await reply.redirect(`${ctx.frontendUrl}/step-up?${new URLSearchParams({ code, state }).toString()}`, 302)
    }
    const browserSecret = readCookie(request, flowCookie(state)) ?? ''
    const pair = await signIn(ctx, { code, state }, deviceOf(request, 'web'), browserSecret)
    clearCookie(ctx, reply, flowCookie(state))
    clearCookie(ctx, reply, cookies.privilege)
    setTokenCookies(ctx, reply, pair)
    return await reply.redirect(ctx.frontendUrl, 302)
  })

  app.post('/auth/web/refresh', refreshRoute, async (request, reply) => {
    requireOwnSite(ctx, request)
    try {
      const token = readCookie(request, cookies.refresh)
      if (token === undefined) throw new AppError('REQUEST_MISSING_REFRESH_TOKEN')
      setTokenCookies(ctx, reply, await refreshTokens(ctx, 'human', token))
    } catch (error) {
      clearCookie(ctx, reply, cookies.access)
      clearCookie(ctx, reply, cookies.refresh)
      throw error
    }
    return await reply.code(204).send()
  })

  app.post('/auth/web/logout', logoutRoute, async (request, reply) => {
    requireOwnSite(ctx, request)
    for (const cookie of Object.values(cookies)) clearCookie(ctx, reply, cookie)
    const token = readCookie(request, cookies.access)
    // Whoever cannot be recognized any more has nothing left but the cookies.
    const claims = token === undefined ? null : await verify(token).catch(() => null)
    // A token that is bound to an agent's key is worth nothing without its proof, here too.
    if (claims !== null && claims.kind === 'human' && claims.jkt === null) await signOut(ctx, { ...claims, once: null })
    return await reply.code(204).send()
  })
}

/** The code that contract §1.2 has for it on the web. */
function initiationFailed(cause: unknown): never {
  if (cause instanceof AppError && cause.code === 'IDENTITY_PROVIDER_FAILED') {
    throw new AppError('OIDC_INITIATION_FAILED', undefined, { cause })
  }
  throw cause
}
