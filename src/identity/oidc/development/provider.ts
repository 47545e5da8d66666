import type { EventEmitter } from 'node:events'
import Provider, { interactionPolicy, type Account, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import type { Logger } from 'pino'
import { isLoopbackRedirect } from '../loopback-redirect.ts'
import { developmentClientId, developmentIssuer, developmentPath } from './issuer.ts'
import { signingKeyOf } from './keys.ts'
import { memoryAdapter } from './memory.ts'
import { contentSecurityPolicy, errorPage, type DemoPerson } from './page.ts'

export interface DevelopmentProviderSettings {
  readonly publicUrl: string
  readonly people: readonly DemoPerson[]
  readonly secrets: { readonly signing: Buffer; readonly cookies: Buffer }
  readonly log: Logger
}

/** Where someone is sent whom the authorization request does not name. */
export const signInPagePath = `${developmentPath}/sign-in`

/**
 * A real OpenID provider without passwords (design §6). An authorization request with `login_hint=<e-mail>` is answered
 * at once with a redirect to the client, without cookies or forms, every time as a fresh sign-in; one without it is sent
 * to the page of buttons, each of which repeats it with a hint.
 */
export function developmentProvider(settings: DevelopmentProviderSettings): Provider {
  const { publicUrl, people, secrets, log } = settings
  const findAccount = (_ctx: KoaContextWithOIDC, email: string): Account => accountOf(email, people)
  const provider = new Provider(developmentIssuer(publicUrl), {
    adapter: memoryAdapter(),
    clients: [
      {
        client_id: developmentClientId,
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: ['http://127.0.0.1/'],
        id_token_signed_response_alg: 'EdDSA',
      },
    ],
    jwks: { keys: [signingKeyOf(secrets.signing)] },
    cookies: { keys: [secrets.cookies] },
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    scopes: ['openid', 'profile', 'email'],
    responseTypes: ['code'],
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      dPoP: { enabled: false },
    },
    ttl: { AccessToken: 60, AuthorizationCode: 60, IdToken: 60, Grant: 60, Interaction: 600, Session: 60 },
    findAccount,
    clientBasedCORS: () => false,
    interactions: {
      policy: [signInByHint(findAccount)],
      url: (ctx) => `${signInPagePath}?${ctx.querystring}`,
    },
    renderError(ctx, out) {
      ctx.type = 'html'
      ctx.set('content-security-policy', contentSecurityPolicy(publicUrl))
      ctx.body = errorPage(out.error, out.error_description ?? '')
    },
  } satisfies Configuration)
  // Koa, beneath, prints errors to the console unless someone listens.
  ;(provider as EventEmitter).on('error', (err: unknown) => log.error({ err }, 'development sign-in'))
  provider.on('server_error', (_ctx, err) => log.error({ err }, 'development sign-in'))
  // Its URLs are made from the request; the mount says there which host and protocol the issuer has.
  provider.proxy = true
  // A registered redirect URI has one path; every client on this machine has its own.
  provider.Client.prototype.redirectUriAllowed = (uri: string) =>
    isLoopbackRedirect(uri) || uri.startsWith(`${publicUrl}/`)
  return provider
}

/** Signs in whom login_hint names, within the authorization request itself: no session is ever found or needed. */
function signInByHint(findAccount: (ctx: KoaContextWithOIDC, email: string) => Account): interactionPolicy.Prompt {
  const prompt = new interactionPolicy.Prompt({ name: 'login', requestable: true })
  // Also the check that comes with the prompt, which asks for a sign-in when the client demands a fresh one: each one is.
  prompt.checks.clear()
  prompt.checks.add(
    new interactionPolicy.Check('login_hint', 'Choose who signs in', async (ctx) => {
      const { oidc } = ctx
      const hint = oidc.params?.['login_hint']
      const email = typeof hint === 'string' ? hint.trim() : ''
      if (!isEmail(email)) return interactionPolicy.Check.REQUEST_PROMPT
      const account = findAccount(ctx, email)
      const clientId = oidc.client?.clientId as string
      oidc.session?.loginAccount({ accountId: account.accountId, transient: true })
      oidc.entity('Account', account)
      const grant = new oidc.provider.Grant({ accountId: account.accountId, clientId })
      grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '))
      const grantId = await grant.save()
      oidc.entity('Grant', grant)
      oidc.session?.ensureClientContainer(clientId)
      oidc.session?.grantIdFor(clientId, grantId)
      return interactionPolicy.Check.NO_NEED_TO_PROMPT
    }),
  )
  return prompt
}

function isEmail(text: string): boolean {
  return text.length <= 255 && /^[^\s\p{Cc}@]+@[^\s\p{Cc}@]+$/u.test(text)
}

function accountOf(accountId: string, people: readonly DemoPerson[]): Account {
  const email = accountId.toLowerCase()
  const name = people.find((person) => person.email === email)?.name
  return {
    accountId: email,
    claims: () => ({ sub: email, email, email_verified: true, ...(name !== undefined && { name }) }),
  }
}
