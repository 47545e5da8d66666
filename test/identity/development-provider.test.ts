import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { developmentSignIn } from '../../src/identity/oidc/development/mount.ts'
import { hashOfState } from '../../src/identity/oidc/pkce.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { startWorld, type World } from '../helpers/world.ts'

let world: World
let base: string
const printed = (['info', 'warn', 'error', 'log'] as const).map((level) => vi.spyOn(console, level))

// A listener on a real port, and nothing but fetch: what a script has.
beforeAll(async () => {
  world = await startWorld()
  await world.app.listen({ host: '127.0.0.1', port: 0 })
  base = `http://127.0.0.1:${(world.app.server.address() as AddressInfo).port}`
  world.ctx.publicUrl = base
})
afterAll(() => world.close())
afterEach(() => {
  for (const spy of printed) expect(spy).not.toHaveBeenCalled()
})

const post = async (path: string, body: unknown) =>
  await fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const initiate = async (redirectUri = 'http://127.0.0.1:4711/callback') => {
  const answer = (await (await post('/auth/cli/initiate', { redirectUri })).json()) as { authorizationUrl: string }
  return answer.authorizationUrl
}
const visit = (url: string) => fetch(url, { redirect: 'manual' })
const signIn = async (email: string) => {
  const { searchParams } = new URL(
    locationOf(await visit(`${await initiate()}&login_hint=${encodeURIComponent(email)}`)),
  )
  const answer = await post('/auth/cli/token', { code: searchParams.get('code'), state: searchParams.get('state') })
  return { status: answer.status, body: (await answer.json()) as { accessToken: string; refreshToken: string } }
}
const locationOf = (answer: Response) => answer.headers.get('location') ?? `${answer.status}`

describe('the embedded provider, over HTTP', () => {
  it('with login_hint it redirects at once, without a cookie, back to the client with code and state', async () => {
    const url = await initiate()
    expect(url.startsWith(`${base}/oidc/auth?`)).toBe(true)
    const answer = await visit(`${url}&login_hint=ada@example.com`)
    expect(answer.status).toBe(303)
    const location = new URL(locationOf(answer))
    expect(`${location.origin}${location.pathname}`).toBe('http://127.0.0.1:4711/callback')
    expect(location.searchParams.get('state')).toBe(new URL(url).searchParams.get('state'))
    expect(location.searchParams.get('iss')).toBe(`${base}/oidc`)
  })

  it.each([
    ['ada@example.com', 'Ada'],
    ['eli@example.com', 'Eli'],
    ['stranger@elsewhere.example', 'stranger@elsewhere.example'],
  ])('signs in %s as %s and gives tokens that work', async (email, name) => {
    const { status, body } = await signIn(email)
    expect(status).toBe(200)
    expect(decodeJwt(body.accessToken)).toMatchObject({ email, name })
    const answer = await fetch(`${base}/workflows/none/canVote`, {
      headers: { authorization: `Bearer ${body.accessToken}` },
    })
    expect(((await answer.json()) as { code: string }).code).toBe('WORKFLOW_NOT_FOUND')
    expect((await post('/auth/cli/refresh', { refreshToken: body.refreshToken })).status).toBe(200)
  })

  it('signs in whom the hint names, also a browser that carries the cookies of somebody else', async () => {
    const first = await visit(`${await initiate()}&login_hint=ada@example.com`)
    const cookie = first.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ')
    expect(cookie).not.toBe('')
    const second = await fetch(`${await initiate()}&login_hint=ben@example.com`, {
      redirect: 'manual',
      headers: { cookie },
    })
    const { searchParams } = new URL(locationOf(second))
    const answer = await post('/auth/cli/token', Object.fromEntries(searchParams))
    const { accessToken } = (await answer.json()) as { accessToken: string }
    expect(decodeJwt(accessToken)['email']).toBe('ben@example.com')
    // And a session is never taken for an answer to the question who signs in.
    const third = await fetch(await initiate(), { redirect: 'manual', headers: { cookie } })
    expect(locationOf(third)).toContain('/oidc/sign-in?')
  })

  it('without login_hint it shows one button per demo person, each of which goes on with the same request', async () => {
    const url = await initiate()
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    expect(new URL(answer.url).pathname).toBe('/oidc/sign-in')
    const html = await answer.text()
    expect(html).toContain('<html lang="en">')
    const emails = [...html.matchAll(/<button name="login_hint" value="([^"]+)">/g)].map(([, email]) => email)
    expect(emails).toEqual(['ada', 'ben', 'cleo', 'dana', 'eli'].map((name) => `${name}@example.com`))
    expect(html).not.toMatch(/<script|onclick|style="|https?:\/\/(?!127\.0\.0\.1)/)
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-/)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')

    const hidden = [...html.split('</form>')[0]!.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]+)">/g)]
    const query = new URLSearchParams(
      hidden.map(([, name, value]): [string, string] => [name!, value!.replaceAll('&#38;', '&')]),
    )
    query.set('login_hint', 'cleo@example.com')
    const pressed = await visit(`${base}/oidc/auth?${query.toString()}`)
    expect(new URL(locationOf(pressed)).searchParams.get('state')).toBe(new URL(url).searchParams.get('state'))
  })

  it.each(['', 'nobody', 'a@b@c', 'with blank@example.com', `${'x'.repeat(256)}@example.com`])(
    'shows the buttons for the hint %j, which is no e-mail address',
    async (hint) => {
      const answer = await visit(`${await initiate()}&login_hint=${encodeURIComponent(hint)}`)
      expect(locationOf(answer)).toContain('/oidc/sign-in?')
    },
  )

  it('escapes what it repeats from the request', async () => {
    const answer = await fetch(`${base}/oidc/sign-in?state=${encodeURIComponent('"><script>alert(1)</script>')}&"x'=1`)
    const html = await answer.text()
    expect(html).not.toContain('<script')
    expect(html).toContain('&#60;script&#62;')
  })

  it.each(['http://localhost', 'http://localhost:1/', 'https://127.0.0.1:65535/a?b=c', 'http://127.0.0.1/deep/path'])(
    'sends people back to the loopback address %s',
    async (redirectUri) => {
      const location = new URL(locationOf(await visit(`${await initiate(redirectUri)}&login_hint=ada@example.com`)))
      expect(location.origin).toBe(new URL(redirectUri).origin)
      expect(location.searchParams.has('code')).toBe(true)
    },
  )

  it.each([
    'http://evil.example/callback',
    'http://localhost.evil.example/callback',
    'http://user:pass@localhost/callback',
    'http://[::1]/callback',
    'javascript:alert(1)',
    'custom:/callback',
  ])('refuses to send people to %s, with a page and no redirect', async (redirectUri) => {
    const url = new URL(await initiate())
    url.searchParams.set('redirect_uri', redirectUri)
    url.searchParams.set('login_hint', 'ada@example.com')
    const answer = await visit(url.href)
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await answer.text()).toContain('invalid_redirect_uri')
  })

  it.each([
    ['without a challenge', (url: URL) => url.searchParams.delete('code_challenge')],
    ['with the plain method', (url: URL) => url.searchParams.set('code_challenge_method', 'plain')],
  ])('requires PKCE with S256: %s the client gets invalid_request', async (_what, change) => {
    const url = new URL(`${await initiate()}&login_hint=ada@example.com`)
    change(url)
    const location = new URL(locationOf(await visit(url.href)))
    expect(location.searchParams.get('error')).toBe('invalid_request')
    expect(location.searchParams.has('code')).toBe(false)
  })

  it('an unknown client is refused', async () => {
    const url = new URL(`${await initiate()}&login_hint=ada@example.com`)
    url.searchParams.set('client_id', 'other')
    expect((await visit(url.href)).status).toBe(400)
  })

  it('says auth_time, fresh every time, when a client asks for a fresh sign-in', async () => {
    const verifier = 'v'.repeat(43)
    const query = new URLSearchParams({
      client_id: 'quorate',
      response_type: 'code',
      scope: 'openid email',
      redirect_uri: 'http://localhost/',
      code_challenge: hashOfState(verifier),
      code_challenge_method: 'S256',
      prompt: 'login',
      login_hint: 'ada@example.com',
    })
    const location = new URL(locationOf(await visit(`${base}/oidc/auth?${query.toString()}`)))
    const form = { grant_type: 'authorization_code', client_id: 'quorate', redirect_uri: 'http://localhost/' }
    const body = new URLSearchParams({
      ...form,
      code: location.searchParams.get('code') ?? '',
      code_verifier: verifier,
    })
    const tokens = (await (await fetch(`${base}/oidc/token`, { method: 'POST', body })).json()) as { id_token: string }
    const { auth_time: authTime, iss } = decodeJwt(tokens.id_token)
    expect(iss).toBe(`${base}/oidc`)
    expect(Math.abs(Number(authTime) - Date.now() / 1000)).toBeLessThan(5)
  })

  it('names its addresses after its issuer, whatever Host and forwarding headers say', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', host: 'localhost:1' }
    const answer = await world.app.inject({ url: '/oidc/.well-known/openid-configuration', headers })
    expect(answer.json()).toMatchObject({
      issuer: `${base}/oidc`,
      authorization_endpoint: `${base}/oidc/auth`,
      token_endpoint: `${base}/oidc/token`,
      code_challenge_methods_supported: ['S256'],
    })
  })

  // A page of that name, resolved to this machine, could read the code out of a form_post answer.
  it.each(['evil.example', 'localhost.evil.example:8080', '127.0.0.1.nip.io', '10.0.0.1', 'localhost@evil.example'])(
    'answers nothing under the foreign name %j, by which only DNS rebinding leads here',
    async (host) => {
      const url = new URL(`${await initiate()}&login_hint=ada@example.com&response_mode=form_post`)
      for (const path of [`${url.pathname}${url.search}`, '/oidc/sign-in', '/oidc/jwks']) {
        const answer = await world.app.inject({ url: path, headers: { host } })
        expect(answer.statusCode).toBe(400)
        expect(answer.json()).toMatchObject({ code: 'MALFORMED_REQUEST', details: [{ field: 'Host' }] })
      }
    },
  )

  it.each(['localhost', '127.0.0.1:1', '[::1]:8080', 'LOCALHOST:8080'])('answers under the name %s', async (host) => {
    expect((await world.app.inject({ url: '/oidc/jwks', headers: { host } })).statusCode).toBe(200)
  })

  it('answers under the name of the public URL', async () => {
    await using named = await startWorld({ env: { QUORATE_PUBLIC_URL: 'https://quorate.example:8443' } })
    const statusUnder = async (host: string) =>
      (await named.app.inject({ url: '/oidc/jwks', headers: { host } })).statusCode
    expect([await statusUnder('quorate.example:8443'), await statusUnder('quorate.example')]).toEqual([200, 400])
  })

  it('leaves the rest of the server as it is: bodies are still JSON and calls still need a token', async () => {
    const broken = await fetch(`${base}/auth/cli/token`, { method: 'POST', body: 'a=b' })
    expect(((await broken.json()) as { code: string }).code).toBe('MALFORMED_REQUEST')
    expect((await fetch(`${base}/workflows/none/canVote`)).status).toBe(401)
    expect((await fetch(`${base}/oidc`)).status).toBe(404)
    expect((await fetch(`${base}/oidc/none`)).status).toBe(404)
  })
})

it('keeps its signing key across a restart and for a second process', async () => {
  const databaseUrl = await freshDatabase()
  const keysOf = async () => {
    await using one = await startWorld({ databaseUrl })
    return (await one.app.inject({ url: '/oidc/jwks' })).json() as { keys: Record<string, unknown>[] }
  }
  const before = await keysOf()
  expect(await keysOf()).toEqual(before)
  expect(before.keys).toHaveLength(1)
  expect(before.keys[0]).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' })
  expect(before.keys[0]).not.toHaveProperty('d')
  const elsewhere = (await world.app.inject({ url: '/oidc/jwks' })).json() as typeof before
  expect(elsewhere.keys[0]?.['x']).not.toBe(before.keys[0]?.['x'])
})

it.each(['0.0.0.0', '192.168.0.7', '::', 'quorate.example'])('refuses to start on HOST=%s', (HOST) => {
  expect(() => loadConfig({ HOST })).toThrow('OIDC_ISSUER')
})

it('refuses to start with NODE_ENV=production', () => {
  expect(() => loadConfig({ NODE_ENV: 'production' })).toThrow('OIDC_ISSUER')
})

it('refuses once more where it is mounted', async () => {
  const elsewhere = { ...world.ctx, config: { ...world.ctx.config, host: '0.0.0.0' } }
  await expect(developmentSignIn(world.app, elsewhere)).rejects.toThrow('loopback')
  vi.stubEnv('NODE_ENV', 'production')
  await expect(developmentSignIn(world.app, world.ctx)).rejects.toThrow('loopback')
  vi.unstubAllEnvs()
})
