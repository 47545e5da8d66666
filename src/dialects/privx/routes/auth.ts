import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { logIn, redeemCode, startCodeFlow } from '../../../identity/oauth/code-flow.ts'
import { exchangeToken } from '../../../identity/oauth/exchange-token.ts'
import { logOut } from '../../../identity/oauth/log-out.ts'
import { refuseOtherNames, requireOauthClient } from '../../../identity/oauth/oauth-client.ts'
import { refreshBearer } from '../../../identity/oauth/refresh.ts'
import { signInByPassword, signInClient } from '../../../identity/oauth/sign-in.ts'
import type { Device, TokenPair } from '../../../identity/token-pair.ts'
import { noStore } from '../../shared/no-store.ts'
import { answerOauthError } from '../error-answer.ts'
import {
  clientOf,
  deviceOf,
  loginLocation,
  parseAuthorize,
  parseClientCredentials,
  parseLogin,
  parseTokenForm,
  parseTokenLogin,
  renderTokens,
  type TokenAsked,
} from '../wire/oauth.ts'

/** Signing in and out (contract privx §2). */
export function authRoutes(app: FastifyInstance, ctx: Ctx): void {
  const open = { config: { public: true }, onSend: noStore }
  const oauth = { ...open, errorHandler: answerOauthError }

  app.post('/oauth/token', { ...oauth, config: { public: true, form: true } }, async (request) => {
    refuseOtherNames(ctx, request.headers.host)
    const asked = parseTokenForm(request.body)
    const client = clientOf(request.headers.authorization)
    // The password grant is for the OAuth client alone; the others are the public client's, but a pair that is sent is right.
    if (asked.grant === 'password' || client !== null) await requireOauthClient(ctx, client, request.ip)
    return renderTokens(await tokensFor(ctx, asked, deviceOf(request)))
  })

  app.get('/oauth/authorize', oauth, async (request, reply) => {
    const session = await startCodeFlow(ctx, parseAuthorize(request.query))
    return await reply.code(307).header('location', loginLocation(session)).send()
  })

  app.post('/oauth/clientcredentials/privx-external/token', oauth, async (request) => {
    refuseOtherNames(ctx, request.headers.host)
    return renderTokens(await signInClient(ctx, parseClientCredentials(request.body), deviceOf(request)))
  })

  app.post('/login', open, async (request) => await logIn(ctx, parseLogin(request.body)))

  app.post('/token/login', open, async (request) =>
    renderTokens(await exchangeToken(ctx, parseTokenLogin(request.body), deviceOf(request))),
  )

  app.post('/logout', async (request) => {
    await logOut(ctx, request.caller)
    return {}
  })
}

async function tokensFor(ctx: Ctx, asked: TokenAsked, device: Device): Promise<TokenPair> {
  switch (asked.grant) {
    case 'password':
      return await signInByPassword(ctx, asked, device)
    case 'authorization_code':
      return await redeemCode(ctx, asked, device)
    case 'refresh_token':
      return await refreshBearer(ctx, asked.refreshToken)
  }
}
