import { decodeJwt, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { hashOfState } from '../../src/identity/oidc/pkce.ts'
import { hashOfRefreshToken } from '../../src/identity/token-pair.ts'
import { machine, signedInAgent } from '../helpers/agents.ts'
import { cookiesIn, openBrowser, ownPage, type Browser } from '../helpers/browser.ts'
import { insertAgent } from '../helpers/rows.ts'
import { authorize, startedSignIn } from '../helpers/sign-in.ts'
import { startWorld, type World } from '../helpers/world.ts'

let world: World
beforeAll(async () => void (world = await startWorld()))
afterAll(() => world.close())

const ui = 'http://127.0.0.1:8080/ui'
const failed = (reason: string) => [302, `${ui}/login?error=${reason}`]
const went = ({ status, headers }: { status: number; headers: Record<string, unknown> }) => [
  status,
  headers['location'],
]
const signedIn = async (email: string): Promise<Browser> => {
  const browser = openBrowser(world)
  expect(went(await browser.signIn(email))).toEqual([302, ui])
  return browser
}
const whoIs = async (browser: Browser) => (await browser.get('/auth/info')).body.id
const principals = async () => await world.ctx.db.selectFrom('principals').select('email').execute()

describe('GET /auth/providers', () => {
  it('names the one provider, with the address that starts a sign-in', async () => {
    const { status, body } = await world.anyone.get('/auth/providers')
    expect([status, body]).toEqual([
      200,
      [{ id: 'development', displayName: 'Development sign-in', loginUrl: '/auth/web/login?provider=development' }],
    ])
    expect((await world.anyone.get(body[0].loginUrl)).status).toBe(302)
  })

  it('names a provider of one’s own by its host', async () => {
    await using other = await startWorld({ env: { OIDC_ISSUER: 'https://id.example/realm', OIDC_CLIENT_ID: 'q' } })
    const { body } = await other.anyone.get('/auth/providers')
    expect(body).toEqual([{ id: 'oidc', displayName: 'id.example', loginUrl: '/auth/web/login?provider=oidc' }])
  })
})

describe('GET /auth/web/login', () => {
  it('302 to the provider, coming back to the callback, with a cookie that binds the sign-in to this browser', async () => {
    const browser = openBrowser(world)
    const answer = await browser.get('/auth/web/login')
    expect([answer.status, answer.headers['cache-control']]).toEqual([302, 'no-store'])
    const url = new URL(String(answer.headers['location']))
    expect(`${url.origin}${url.pathname}`).toBe('http://127.0.0.1:8080/oidc/auth')
    expect(url.searchParams.get('redirect_uri')).toBe('http://127.0.0.1:8080/auth/web/callback')
    expect(url.searchParams.get('prompt')).toBeNull()
    const [[name, cookie] = []] = [...browser.jar]
    expect(name).toMatch(/^sign_in_[\w-]{16}$/)
    expect(cookie?.value).toMatch(/^[\w-]{43}$/)
    expect(cookie?.attributes).toEqual(['HttpOnly', 'Max-Age=600', 'Path=/auth/web/callback', 'SameSite=Lax'])
    const flows = await world.ctx.db.selectFrom('sign_in_flows').selectAll().execute()
    expect(JSON.stringify(flows)).not.toContain(cookie?.value)
  })

  it('400 REQUEST_INVALID_PROVIDER for a provider that there is not', async () => {
    const { status, body } = await world.anyone.get('/auth/web/login?provider=okta')
    expect([status, body.code, body.details[0].field]).toEqual([400, 'REQUEST_INVALID_PROVIDER', 'provider'])
  })

  it('500 OIDC_INITIATION_FAILED while the provider is down', async () => {
    await using other = await startWorld({ env: { OIDC_ISSUER: 'http://127.0.0.1:1', OIDC_CLIENT_ID: 'q' } })
    const { status, body } = await other.anyone.get('/auth/web/login')
    expect([status, body.code]).toEqual([500, 'OIDC_INITIATION_FAILED'])
  })

  it.each(['redirect=https://evil.example', 'redirectUri=https://evil.example', 'returnTo=//evil.example'])(
    'sends nobody elsewhere for ?%s',
    async (query) => {
      const browser = openBrowser(world)
      const { headers } = await browser.get(`/auth/web/login?${query}`)
      expect(String(headers['location'])).not.toContain('evil')
      const back = await authorize(world, String(headers['location']), 'open@example.com')
      expect(went(await browser.get(`${back.pathname}${back.search}&${query}`))).toEqual([302, ui])
    },
  )
})

describe('GET /auth/web/callback', () => {
  it('302 to the frontend with the cookies of contract §6.3, and nothing of a token in the address', async () => {
    const browser = await signedIn('ada@example.com')
    expect(Object.fromEntries([...browser.jar].map(([name, { attributes }]) => [name, attributes]))).toEqual({
      access_token: ['HttpOnly', 'Max-Age=3600', 'Path=/', 'SameSite=Lax'],
      refresh_token: ['HttpOnly', 'Max-Age=2592000', 'Path=/auth/web/refresh', 'SameSite=Strict'],
    })
    expect((await browser.get('/auth/info')).body).toMatchObject({ entityType: 'user' })
  })

  it('is noted as a sign-in through the web, with the browser that it was', async () => {
    const browser = openBrowser(world)
    const back = await browser.backFromLogin('agent@example.com')
    await browser.get(`${back.pathname}${back.search}`, { 'user-agent': `Firefox ${'x'.repeat(300)}` })
    const { sessions } = (await browser.get('/v1/sessions')).body
    expect(sessions).toMatchObject([{ channel: 'web', userAgent: `Firefox ${'x'.repeat(248)}`, current: true }])
  })

  it.each([
    ['no query', '', 'request_missing_code'],
    ['an empty code', '?code=&state=s', 'request_invalid_code'],
    ['a code twice', '?code=a&code=b&state=s', 'request_invalid_code'],
    ['no state', '?code=c', 'request_missing_state'],
    ['an empty state', '?code=c&state=', 'request_invalid_state'],
    ['an unknown state', '?code=c&state=unknown', 'pkce_code_not_found'],
    ['a refusal of the provider', '?error=access_denied&state=s', 'request_missing_code'],
    ['a NUL', '?code=%00&state=s', 'malformed_request'],
  ])('with %s: 302 to the login page with the reason %3$s', async (_what, query, reason) => {
    expect(went(await world.anyone.get(`/auth/web/callback${query}`))).toEqual(failed(reason))
  })

  it('a second time with the same state: pkce_code_already_used, also when the browser was there', async () => {
    const browser = openBrowser(world)
    const back = await browser.backFromLogin('twice@example.com')
    const url = `${back.pathname}${back.search}`
    const secret = [...browser.jar.entries()]
    expect(went(await browser.get(url))).toEqual([302, ui])
    for (const [name, cookie] of secret) browser.jar.set(name, cookie)
    expect(went(await browser.get(url))).toEqual(failed('pkce_code_already_used'))
  })

  it('ten minutes later: pkce_code_expired', async () => {
    await using late = await startWorld()
    const browser = openBrowser(late)
    const back = await browser.backFromLogin('late@example.com')
    late.clock.advance(600_000)
    expect(went(await browser.get(`${back.pathname}${back.search}`))).toEqual(failed('pkce_code_expired'))
  })

  it('while another call exchanges the code: pkce_code_concurrency_conflict', async () => {
    const browser = openBrowser(world)
    const back = await browser.backFromLogin('overtaken@example.com')
    await world.ctx.db
      .updateTable('sign_in_flows')
      .set({ used_at: world.clock.now() })
      .where('state_hash', '=', hashOfState(back.searchParams.get('state') ?? ''))
      .execute()
    expect(went(await browser.get(`${back.pathname}${back.search}`))).toEqual(failed('pkce_code_concurrency_conflict'))
  })

  it('with a code that the provider did not give: pkce_code_verification_failed, and no cookies', async () => {
    const browser = openBrowser(world)
    const back = await browser.backFromLogin('forged@example.com')
    back.searchParams.set('code', 'forged')
    expect(went(await browser.get(`${back.pathname}${back.search}`))).toEqual(failed('pkce_code_verification_failed'))
    expect(browser.jar.has('access_token')).toBe(false)
  })

  it('of a disabled person: user_not_found', async () => {
    const browser = await signedIn('gone@example.com')
    const at = world.ctx.clock.now()
    await world.ctx.db
      .updateTable('principals')
      .set({ disabled_at: at })
      .where('id', '=', await whoIs(browser))
      .execute()
    expect(went(await openBrowser(world).signIn('gone@example.com'))).toEqual(failed('user_not_found'))
  })

  it('in a browser that did not begin it (login CSRF): pkce_code_not_found, nobody signed in, and the state still good', async () => {
    const [attacker, victim] = [openBrowser(world), openBrowser(world)]
    const back = await attacker.backFromLogin('mallory@example.com')
    const url = `${back.pathname}${back.search}`
    await victim.backFromLogin('victim@example.com')
    expect(went(await victim.get(url))).toEqual(failed('pkce_code_not_found'))
    expect(victim.jar.has('access_token')).toBe(false)
    expect(went(await attacker.get(url))).toEqual([302, ui])
  })

  it('with the secret of another flow of the same browser: pkce_code_not_found', async () => {
    const browser = openBrowser(world)
    const one = await browser.backFromLogin('tabs@example.com')
    const [[name] = ['']] = [...browser.jar]
    await browser.backFromLogin('tabs@example.com')
    const other = [...browser.jar.values()].at(-1)
    if (other !== undefined) browser.jar.set(name, other)
    expect(went(await browser.get(`${one.pathname}${one.search}`))).toEqual(failed('pkce_code_not_found'))
  })

  it('a state made for the command line signs no browser in', async () => {
    const proof = await startedSignIn(world, 'cli@example.com')
    const query = new URLSearchParams(proof).toString()
    expect(went(await world.anyone.get(`/auth/web/callback?${query}`))).toEqual(failed('pkce_code_not_found'))
    expect(await principals()).not.toContainEqual({ email: 'cli@example.com' })
  })

  it('two tabs of one browser sign in beside each other', async () => {
    const browser = openBrowser(world)
    const [one, other] = [
      await browser.backFromLogin('tab@example.com'),
      await browser.backFromLogin('tab@example.com'),
    ]
    for (const { pathname, search } of [one, other])
      expect(went(await browser.get(`${pathname}${search}`))).toEqual([302, ui])
    expect([...browser.jar.keys()].toSorted()).toEqual(['access_token', 'refresh_token'])
  })

  it('takes no session over from before the sign-in (session fixation)', async () => {
    const planted = await signedIn('planter@example.com')
    const browser = openBrowser(world)
    for (const [name, cookie] of planted.jar) browser.jar.set(name, cookie)
    browser.jar.set('privilege_token', { value: 'planted', path: '/', attributes: [] })
    expect(went(await browser.signIn('fixed@example.com'))).toEqual([302, ui])
    expect(await whoIs(browser)).not.toBe(await whoIs(planted))
    expect(browser.jar.has('privilege_token')).toBe(false)
    const sid = (from: Browser) => decodeJwt(from.jar.get('access_token')?.value ?? '')['sid']
    expect(sid(browser)).not.toBe(sid(planted))
    const again = await signedIn('fixed@example.com')
    expect(sid(again)).not.toBe(sid(browser))
  })

  it('a state made by /auth/web/login can be redeemed at /auth/cli/token, which has no cookie', async () => {
    const back = await openBrowser(world).backFromLogin('both@example.com')
    const { status } = await world.anyone.post('/auth/cli/token', Object.fromEntries(back.searchParams))
    expect(status).toBe(200)
  })
})

describe('POST /auth/web/refresh', () => {
  it('204 and both cookies new, of the same session', async () => {
    const browser = await signedIn('ben@example.com')
    const before = new Map(browser.jar)
    world.clock.advance(1000)
    const answer = await browser.send('POST', '/auth/web/refresh')
    expect([answer.status, answer.body, answer.headers['cache-control']]).toEqual([204, '', 'no-store'])
    for (const name of ['access_token', 'refresh_token']) {
      expect(browser.jar.get(name)?.value).not.toBe(before.get(name)?.value)
      expect(browser.jar.get(name)?.attributes).toEqual(before.get(name)?.attributes)
    }
    expect((await browser.get('/v1/sessions')).body.sessions).toMatchObject([{ channel: 'web', current: true }])
  })

  const stored = async (token: string, set: object) => {
    const hash = hashOfRefreshToken(token)
    await world.ctx.db.updateTable('refresh_tokens').set(set).where('token_hash', '=', hash).execute()
  }
  const before = (seconds: number) => new Date(world.ctx.clock.now().getTime() - seconds * 1000)
  it.each([
    [400, 'REQUEST_MISSING_REFRESH_TOKEN', async (browser: Browser) => void browser.jar.delete('refresh_token')],
    [
      401,
      'REFRESH_TOKEN_NOT_FOUND',
      async (browser: Browser) =>
        void browser.jar.set('refresh_token', { value: 'unknown', path: '/auth/web/refresh', attributes: [] }),
    ],
    [401, 'REFRESH_TOKEN_EXPIRED', async (_: Browser, token: string) => await stored(token, { expires_at: before(0) })],
    [401, 'REFRESH_TOKEN_REVOKED', async (_: Browser, token: string) => await stored(token, { revoked_at: before(0) })],
    [
      409,
      'REFRESH_TOKEN_REUSE_DETECTED',
      async (_: Browser, token: string) => await stored(token, { used_at: before(31) }),
    ],
    [
      401,
      'REFRESH_TOKEN_ENTITY_MISMATCH',
      async (browser: Browser, token: string) => {
        await stored(token, { principal_id: await insertAgent(world.ctx, `agent-${await whoIs(browser)}`) })
      },
    ],
  ] as const)('%i %s: both cookies are cleared', async (status, code, arrange) => {
    const browser = await signedIn(`${code.toLowerCase()}@example.com`)
    await arrange(browser, browser.jar.get('refresh_token')?.value ?? '')
    const answer = await browser.send('POST', '/auth/web/refresh')
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect([...browser.jar.keys()]).toEqual([])
    expect(cookiesIn(answer).map((line) => line.split(';', 1)[0])).toEqual(['access_token=', 'refresh_token='])
  })

  it('looks at no Idempotency-Key: two browsers behind one address do not get each other’s tokens', async () => {
    const [one, other] = [await signedIn('one@example.com'), await signedIn('other@example.com')]
    const headers = { ...ownPage, 'idempotency-key': 'same' }
    for (const browser of [one, other])
      expect((await browser.send('POST', '/auth/web/refresh', undefined, headers)).status).toBe(204)
    expect(await whoIs(one)).not.toBe(await whoIs(other))
  })
})

describe('POST /auth/web/logout', () => {
  it('204, clears the cookies with their paths, and ends the session: neither token works any more', async () => {
    const browser = await signedIn('leaving@example.com')
    const [access, refresh] = ['access_token', 'refresh_token'].map((name) => browser.jar.get(name)?.value ?? '')
    const answer = await browser.send('POST', '/auth/web/logout')
    expect([answer.status, answer.body]).toEqual([204, ''])
    expect([...browser.jar.keys()]).toEqual([])
    const lines = cookiesIn(answer)
    const pathOf = (name: string) => /Path=([^;]*)/.exec(lines.find((line) => line.startsWith(`${name}=`)) ?? '')?.[1]
    expect(['access_token', 'refresh_token', 'privilege_token'].map(pathOf)).toEqual(['/', '/auth/web/refresh', '/'])
    const late = await world.anyone.get('/auth/info', undefined, { authorization: `Bearer ${access}` })
    expect([late.status, late.body.code]).toEqual([401, 'SESSION_ENDED'])
    const renewal = await world.anyone.post('/auth/cli/refresh', { refreshToken: refresh })
    expect([renewal.status, renewal.body.code]).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
  })

  it.each<[string, (id: string) => Promise<[principalId: string, token: string]>]>([
    [
      'an agent’s token that is bound to its key',
      async (id) => {
        const bot = await machine(world, `bound ${id}`)
        return [bot.id, (await signedInAgent(world, bot, true)).accessToken]
      },
    ],
    [
      'an agent’s bearer',
      async (id) => {
        const bot = await machine(world, `bearer ${id}`)
        return [bot.id, (await signedInAgent(world, bot)).accessToken]
      },
    ],
    [
      'a person’s token that is bound to a key',
      async (id) => {
        const browser = await signedIn(`bound-${id}@example.com`)
        const claims = decodeJwt(browser.jar.get('access_token')?.value ?? '')
        const token = new SignJWT({ ...claims, cnf: { jkt: 'thumbprint' } }).setProtectedHeader({ alg: 'HS256' })
        return [claims.sub ?? '', await token.sign(world.ctx.keys.token)]
      },
    ],
  ])('204, and no session ends, for %s, which signs no browser in', async (_what, made) => {
    const [principalId, token] = await made(world.ctx.newId())
    const answer = await world.anyone.post('/auth/web/logout', undefined, { cookie: `access_token=${token}` })
    expect(answer.status).toBe(204)
    const sessions = world.ctx.db.selectFrom('sessions').select('ended_at').where('principal_id', '=', principalId)
    expect(await sessions.execute()).toEqual([{ ended_at: null }])
  })

  it('ends no other sign-in of the same person, and leaves an audit leaf that says which', async () => {
    const [browser, other] = [await signedIn('two@example.com'), await signedIn('two@example.com')]
    const { sid, sub } = decodeJwt(browser.jar.get('access_token')?.value ?? '')
    await browser.send('POST', '/auth/web/logout')
    expect(await whoIs(other)).toBe(sub)
    const leaves = await world.ctx.db
      .selectFrom('audit_leaves')
      .select('content')
      .where('kind', '=', 'sessions.ended')
      .where('subject_id', '=', String(sub))
      .execute()
    expect(leaves.map(({ content }) => JSON.parse(content))).toMatchObject([
      { actor: { kind: 'human', id: sub }, facts: { session: sid, ended: 1, because: 'signed-out' } },
    ])
  })

  it('ends nothing for an access token that belongs to no sign-in', async () => {
    const [browser, other] = [await signedIn('none@example.com'), await signedIn('none@example.com')]
    const { token } = await world.signedIn(await whoIs(other))
    browser.jar.set('access_token', { value: token, path: '/', attributes: [] })
    expect((await browser.send('POST', '/auth/web/logout')).status).toBe(204)
    expect((await other.get('/auth/info')).status).toBe(200)
  })

  it('204 for whoever is not signed in, has a bad token or left before', async () => {
    expect((await world.anyone.post('/auth/web/logout')).status).toBe(204)
    const browser = await signedIn('again@example.com')
    const kept = new Map(browser.jar)
    expect((await browser.send('POST', '/auth/web/logout')).status).toBe(204)
    for (const [name, cookie] of kept) browser.jar.set(name, cookie)
    expect((await browser.send('POST', '/auth/web/logout')).status).toBe(204)
    browser.jar.set('access_token', { value: 'nonsense', path: '/', attributes: [] })
    expect((await browser.send('POST', '/auth/web/logout')).status).toBe(204)
  })
})

describe('a write with cookies comes from a page of ours (CSRF)', () => {
  const own = 'http://127.0.0.1:8080'
  const writes = [
    ['POST', '/groups'],
    ['PUT', '/users/x/roles'],
    ['DELETE', '/v1/sessions/x'],
    ['POST', '/workflows/x/vote'],
    ['POST', '/auth/web/initiatePrivilegedTokenExchange'],
    ['POST', '/auth/web/exchangePrivilegedToken'],
    ['POST', '/auth/web/refresh'],
    ['POST', '/auth/web/logout'],
  ] as const
  const said = [
    ['cross-site', { 'sec-fetch-site': 'cross-site' }, true],
    ['same-site, a neighbour under the same domain', { 'sec-fetch-site': 'same-site' }, true],
    ['cross-site and an Origin elsewhere', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, true],
    ['an Origin elsewhere', { origin: 'https://evil.example' }, true],
    ['an Origin that begins like ours', { origin: `${own}.evil.example` }, true],
    ['another port of our host', { origin: 'http://127.0.0.1:8081' }, true],
    ['our host by another protocol', { origin: 'https://127.0.0.1:8080' }, true],
    ['the Origin null', { origin: 'null' }, true],
    ['an empty Origin', { origin: '' }, true],
    ['an unknown word for the site', { 'sec-fetch-site': 'same-origin, none' }, true],
    ['same-origin', ownPage, false],
    ['none, by hand', { 'sec-fetch-site': 'none' }, false],
    ['nothing of where it comes from, as no browser does from another site', {}, false],
    ['our Origin, from a browser without Fetch Metadata', { origin: own }, false],
  ] as const
  let browser: Browser
  beforeAll(async () => void (browser = await signedIn('csrf@example.com')))

  describe.each(writes)('%s %s', (method, url) => {
    it.each(said)('that says %s', async (_what, headers, isRefused) => {
      const kept = new Map(browser.jar)
      const answer = await browser.send(method, url, {}, headers)
      if (isRefused) {
        expect([answer.status, answer.body.code]).toEqual([403, 'CSRF_REFUSED'])
        expect([...browser.jar]).toEqual([...kept])
        expect(answer.headers['set-cookie']).toBeUndefined()
      } else expect(answer.body.code).not.toBe('CSRF_REFUSED')
      if (!browser.jar.has('access_token')) browser = await signedIn('csrf@example.com')
    })
  })

  it('reads need no such proof, and neither does a token in the Authorization header', async () => {
    expect((await browser.get('/auth/info', { 'sec-fetch-site': 'cross-site' })).status).toBe(200)
    const authorization = `Bearer ${browser.jar.get('access_token')?.value}`
    const answer = await browser.send('POST', '/groups', {}, { authorization, origin: 'https://evil.example' })
    expect(answer.body.code).not.toBe('CSRF_REFUSED')
  })

  it('a foreign page cannot sign anyone out, also where no cookie came along', async () => {
    const answer = await world.anyone.post('/auth/web/logout', undefined, { 'sec-fetch-site': 'cross-site' })
    expect([answer.status, answer.body.code, answer.headers['set-cookie']]).toEqual([403, 'CSRF_REFUSED', undefined])
  })

  it('the configured frontend is one of our pages, and gets its people back', async () => {
    await using other = await startWorld({ env: { QUORATE_FRONTEND_URL: 'https://app.example/approvals/' } })
    const tab = openBrowser(other)
    expect(went(await tab.signIn('ada@example.com'))).toEqual([302, 'https://app.example/approvals'])
    const headers = { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }
    expect((await tab.send('POST', '/auth/web/refresh', undefined, headers)).status).toBe(204)
    const { headers: sent } = await other.anyone.get('/auth/web/callback?code=c')
    expect(sent['location']).toBe('https://app.example/approvals/login?error=request_missing_state')
  })
})

describe('how a token is sent (contract §0.1)', () => {
  it('an Authorization header wins over the cookie, also when it is of no use', async () => {
    const browser = await signedIn('cookie@example.com')
    const ben = await world.person('Header')
    const both = await browser.get('/auth/info', { authorization: `Bearer ${ben.token}` })
    expect(both.body.id).toBe(ben.id)
    for (const authorization of ['Basic x', 'Bearer', '']) {
      const answer = await browser.get('/auth/info', { authorization })
      expect([authorization, answer.status, answer.body.code]).toEqual([authorization, 401, 'MISSING_JWT_TOKEN'])
    }
  })

  it.each([
    ['no cookie', '', 401, 'MISSING_JWT_TOKEN'],
    ['an empty cookie', 'access_token=', 401, 'MISSING_JWT_TOKEN'],
    ['a cookie that is no JWT', 'access_token=invalid', 400, 'JWT_TOKEN_MALFORMED'],
    ['cookies that make no sense', ';;=;access_token;%', 401, 'MISSING_JWT_TOKEN'],
  ])('%s: %3$i %4$s', async (_what, cookie, status, code) => {
    const answer = await world.anyone.get('/auth/info', undefined, { cookie })
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })
})

describe('what is configured', () => {
  it.each([
    [{ QUORATE_PUBLIC_URL: 'https://approvals.example' }, true],
    [{ QUORATE_PUBLIC_URL: 'http://approvals.example' }, true],
    [{ QUORATE_PUBLIC_URL: 'http://localhost:8080' }, false],
    [{ QUORATE_PUBLIC_URL: 'http://[::1]:8080' }, false],
    [{ QUORATE_PUBLIC_URL: 'http://approvals.example', QUORATE_COOKIE_SECURE: '0' }, false],
    [{ QUORATE_COOKIE_SECURE: '1' }, true],
  ] as const)('with %j every cookie is Secure: %s', async (env, isSecure) => {
    await using other = await startWorld({ env })
    const answers = [await other.anyone.get('/auth/web/login'), await other.anyone.post('/auth/web/logout')]
    const lines = answers.flatMap(cookiesIn)
    expect(lines).toHaveLength(4)
    expect(lines.map((line) => line.includes('; Secure'))).toEqual(lines.map(() => isSecure))
  })

  it.each([
    { QUORATE_FRONTEND_URL: 'ftp://x' },
    { QUORATE_FRONTEND_URL: 'nonsense' },
    { QUORATE_FRONTEND_URL: 'https://app.example/?a=b' },
    { QUORATE_FRONTEND_URL: 'https://app.example/#a' },
    { QUORATE_FRONTEND_URL: 'https://user@app.example' },
    { QUORATE_COOKIE_SECURE: 'yes' },
    { QUORATE_STEP_UP: 'off' },
  ])('%j refuses to start', (env) => {
    expect(() => loadConfig(env)).toThrow(Object.keys(env)[0])
  })

  it('in read-only mode nobody signs in: 503 at the start, service_unavailable at the end', async () => {
    await using other = await startWorld({ env: { QUORATE_LEVERS: 'read_only_mode' } })
    const { status, body } = await other.anyone.get('/auth/web/login')
    expect([status, body.code]).toEqual([503, 'SERVICE_UNAVAILABLE'])
    expect(went(await other.anyone.get('/auth/web/callback?code=c&state=s'))).toEqual(failed('service_unavailable'))
  })
})

it('a step-up state at the callback is sent on to the page that began it, and not used up', async () => {
  const browser = await signedIn('step@example.com')
  const started = await browser.send('POST', '/auth/web/initiatePrivilegedTokenExchange')
  const back = await authorize(world, started.body.authorizationUrl, 'step@example.com')
  const answer = await browser.get(`${back.pathname}${back.search}&next=https://evil.example`)
  expect(answer.status).toBe(302)
  const { origin, pathname, searchParams } = new URL(String(answer.headers['location']))
  expect(`${origin}${pathname}`).toBe(`${ui}/step-up`)
  const [code, state] = [back.searchParams.get('code'), back.searchParams.get('state')]
  expect(Object.fromEntries(searchParams)).toEqual({ code, state })
  const flows = await world.ctx.db
    .selectFrom('sign_in_flows')
    .select('used_at')
    .where('purpose', '=', 'step-up')
    .execute()
  expect(new Set(flows.map((flow) => flow.used_at))).toEqual(new Set([null]))
})
