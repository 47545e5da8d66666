import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientRedirect } from '../helpers/sign-in.ts'
import { startWorld, type World } from '../helpers/world.ts'

let world: World
beforeAll(async () => void (world = await startWorld()))
afterAll(() => world.close())

const initiate = (body?: unknown, headers?: Record<string, string>) =>
  world.anyone.post('/auth/cli/initiate', body, headers)

describe('POST /auth/cli/initiate', () => {
  it('answers 200 with an authorization URL that holds everything of contract §6.2', async () => {
    const answer = await initiate({ redirectUri: clientRedirect })
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.body)).toEqual(['authorizationUrl'])
    const url = new URL(answer.body.authorizationUrl)
    expect(`${url.origin}${url.pathname}`).toBe('http://127.0.0.1:8080/oidc/auth')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'quorate',
      redirect_uri: clientRedirect,
      scope: 'openid profile email',
      state: expect.stringMatching(/^[\w-]{22}$/) as string,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      code_challenge_method: 'S256',
      nonce: expect.stringMatching(/^[\w-]{43}$/) as string,
    })
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('makes a new state and challenge for every call, and stores neither state nor verifier readably', async () => {
    const [first, second] = [
      await initiate({ redirectUri: clientRedirect }),
      await initiate({ redirectUri: clientRedirect }),
    ]
    const state = new URL(first.body.authorizationUrl).searchParams.get('state') as string
    expect(second.body.authorizationUrl).not.toContain(state)
    const rows = await world.ctx.db.selectFrom('sign_in_flows').selectAll().execute()
    expect(rows.map((row) => row.state_hash)).not.toContain(state)
    for (const row of rows) expect(row.sealed_verifier).toHaveLength(43 + 33)
  })

  it('ignores members it does not know, also the upstream provider', async () => {
    expect((await initiate({ redirectUri: clientRedirect, provider: 'okta', more: 1 })).status).toBe(200)
  })

  it('needs no access token and looks at none', async () => {
    const answer = await initiate({ redirectUri: clientRedirect }, { authorization: 'Bearer invalid' })
    expect(answer.status).toBe(200)
  })

  it.each([
    ['no body', undefined, 'REQUEST_MISSING_REDIRECT_URI'],
    ['the body null', 'null', 'REQUEST_MISSING_REDIRECT_URI'],
    ['an empty object', {}, 'REQUEST_MISSING_REDIRECT_URI'],
    ['another key', { redirect_uri: clientRedirect }, 'REQUEST_MISSING_REDIRECT_URI'],
    ['null', { redirectUri: null }, 'REQUEST_INVALID_REDIRECT_URI'],
    ['a number', { redirectUri: 1 }, 'REQUEST_INVALID_REDIRECT_URI'],
    ['an array', { redirectUri: [clientRedirect] }, 'REQUEST_INVALID_REDIRECT_URI'],
    ['an empty text', { redirectUri: '' }, 'REQUEST_INVALID_REDIRECT_URI'],
    ['a text that is no URL', { redirectUri: 'not a url' }, 'AUTH_INVALID_REDIRECT_URI'],
    ['a list for a body', [clientRedirect], 'MALFORMED_REQUEST'],
    ['a body that is not JSON', '{"redirectUri":', 'MALFORMED_REQUEST'],
  ])('POST /auth/cli/initiate with %s: 400 %3$s', async (_what, body, code) => {
    const answer = await initiate(body)
    expect([answer.status, answer.body.code]).toEqual([400, code])
    expect(answer.body.message).not.toBe('')
  })

  it.each(['http://localhost:8976/callback', 'https://127.0.0.1/callback', 'http://localhost:65535/ü'])(
    'sends people back to %s',
    async (redirectUri) => {
      const answer = await initiate({ redirectUri })
      expect(answer.status).toBe(200)
      expect(new URL(answer.body.authorizationUrl).searchParams.get('redirect_uri')).toBe(redirectUri)
    },
  )

  it.each([
    'http://localhost.evil.example/callback',
    'http://localhost@evil.example/',
    'http://localhost\\@evil.example/',
    'http:///localhost/callback',
    'http://localhost/callback\n',
  ])('POST /auth/cli/initiate with the look-alike %j: 400 AUTH_INVALID_REDIRECT_URI', async (redirectUri) => {
    const answer = await initiate({ redirectUri })
    expect([answer.status, answer.body.code]).toEqual([400, 'AUTH_INVALID_REDIRECT_URI'])
    expect(answer.body.details).toEqual([{ field: 'redirectUri', message: answer.body.message }])
  })

  it('looks at no Idempotency-Key: two callers behind one address get states of their own', async () => {
    for (const key of ['initiate-1', 'ü']) {
      const states = []
      for (let caller = 0; caller < 2; caller++) {
        const { status, body } = await initiate({ redirectUri: clientRedirect }, { 'idempotency-key': key })
        expect(status).toBe(200)
        states.push(new URL(body.authorizationUrl).searchParams.get('state'))
      }
      expect(states[1]).not.toBe(states[0])
    }
    const other = await initiate({ redirectUri: 'http://localhost/other' }, { 'idempotency-key': 'initiate-1' })
    expect(other.status).toBe(200)
    expect(await world.ctx.db.selectFrom('idempotency_keys').selectAll().execute()).toEqual([])
  })
})

it('POST /auth/cli/initiate in read-only mode: 503 SERVICE_UNAVAILABLE', async () => {
  await using closed = await startWorld({ env: { QUORATE_LEVERS: 'read_only_mode' } })
  const answer = await closed.anyone.post('/auth/cli/initiate', { redirectUri: clientRedirect })
  expect([answer.status, answer.body.code]).toEqual([503, 'SERVICE_UNAVAILABLE'])
})
