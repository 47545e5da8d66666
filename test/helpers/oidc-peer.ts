import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import Provider, { interactionPolicy, type Configuration } from 'oidc-provider'

/** What the peer says of people in place of the truth; read at every answer, so a test may change it. */
export interface PeerAnswers {
  /** Members of the userinfo answer that replace the true ones; undefined removes one. */
  userInfo: Record<string, unknown>
  /** The issuer of the discovery document. */
  discoveredIssuer: string | null
  /** Changes the answer of the token endpoint. */
  token: ((body: Record<string, unknown>) => { status?: number; body: unknown }) | null
  /** Answers nothing but 503. */
  isDown: boolean
}

/** Another's OpenID provider on a real port: sessions, cookies and interactions as oidc-provider makes them. */
export interface OidcPeer extends AsyncDisposable {
  readonly issuer: string
  readonly answers: PeerAnswers
  /** Paths asked for so far. */
  readonly calls: string[]
  /** Signs in as that person, the way a browser does, and gives the address that the client is called back at. */
  authorize(authorizationUrl: string, email: string): Promise<URL>
  close(): Promise<void>
}

export const peerClients = { public: 'quorate-public', confidential: 'quorate-confidential', secret: 's3cret' } as const

export async function startOidcPeer(redirectUris: readonly string[], port = 0): Promise<OidcPeer> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const answers: PeerAnswers = { userInfo: {}, discoveredIssuer: null, token: null, isDown: false }
  const calls: string[] = []
  const provider = await peerProvider(issuer, redirectUris, answers, calls)
  server.on('request', provider.callback())
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    issuer,
    answers,
    calls,
    async authorize(authorizationUrl, email) {
      const first = new URL(authorizationUrl)
      first.searchParams.set('login_hint', email)
      return await followRedirects(first, issuer)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function peerProvider(
  issuer: string,
  redirectUris: readonly string[],
  answers: PeerAnswers,
  calls: string[],
): Promise<Provider> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const entries = new Map<string, Record<string, unknown>>()
  const client = {
    redirect_uris: [...redirectUris],
    grant_types: ['authorization_code'],
    response_types: ['code' as const],
    application_type: 'native' as const,
    id_token_signed_response_alg: 'ES256' as const,
  }
  const policy = interactionPolicy.base()
  const provider = new Provider(issuer, {
    adapter: (model: string) => ({
      upsert: async (id: string, payload: object) => void entries.set(`${model}:${id}`, { ...payload }),
      find: async (id: string) => entries.get(`${model}:${id}`),
      findByUid: async (uid: string) => [...entries.values()].find((payload) => payload['uid'] === uid),
      findByUserCode: async () => undefined,
      consume: async (id: string) => void Object.assign(entries.get(`${model}:${id}`) ?? {}, { consumed: true }),
      destroy: async (id: string) => void entries.delete(`${model}:${id}`),
      revokeByGrantId: async () => {},
    }),
    clients: [
      { ...client, client_id: peerClients.public, token_endpoint_auth_method: 'none' },
      {
        ...client,
        client_id: peerClients.confidential,
        client_secret: peerClients.secret,
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
    cookies: { keys: ['peer'] },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    features: { devInteractions: { enabled: false }, resourceIndicators: { enabled: false } },
    ttl: { AccessToken: 60, AuthorizationCode: 60, IdToken: 60, Grant: 60, Interaction: 60, Session: 60 },
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: sub, email_verified: true, name: `Peer ${sub}`, preferred_username: sub }),
    }),
    interactions: { policy, url: (_ctx, { uid }) => `/login/${uid}` },
  } as Configuration)

  provider.use(async (ctx, next) => {
    calls.push(ctx.path)
    if (answers.isDown) {
      ctx.status = 503
      return
    }
    if (ctx.path.startsWith('/login/')) {
      const { params } = await provider.interactionDetails(ctx.req, ctx.res)
      const accountId = String(params['login_hint'])
      const grant = new provider.Grant({ accountId, clientId: String(params['client_id']) })
      grant.addOIDCScope('openid profile email')
      const result = { login: { accountId }, consent: { grantId: await grant.save() } }
      ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result))
      return
    }
    await next()
    const body = ctx.body as Record<string, unknown>
    if (ctx.path === '/me' && ctx.status === 200) ctx.body = { ...body, ...answers.userInfo }
    if (ctx.path.startsWith('/.well-known/') && answers.discoveredIssuer !== null) {
      ctx.body = { ...body, issuer: answers.discoveredIssuer }
    }
    if (ctx.path === '/token' && answers.token !== null) {
      const { status = 200, body: lie } = answers.token(body)
      ctx.body = lie
      ctx.status = status
    }
  })
  return provider
}

async function followRedirects(first: URL, issuer: string): Promise<URL> {
  const jar = new Map<string, string>()
  let next = first
  while (next.origin === issuer) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(next, { redirect: 'manual', headers: { cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (name !== undefined && value !== undefined) jar.set(name, value)
    }
    const location = answer.headers.get('location')
    if (location === null) throw new Error(`the peer answered ${answer.status}: ${await answer.text()}`)
    next = new URL(location, next)
  }
  return next
}
