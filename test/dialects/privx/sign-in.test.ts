import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refuseOtherNames } from '../../../src/identity/oauth/oauth-client.ts'
import {
  apiClient,
  auth,
  basicOf,
  oauthClient,
  password,
  roleStore,
  startPrivx,
  userStore,
  type PrivxWorld,
} from '../../helpers/privx.ts'
import type { Answer } from '../../helpers/world.ts'

let privx: PrivxWorld
let ursula: { readonly id: string }
beforeAll(async () => {
  privx = await startPrivx()
  ursula = await privx.user('Ursula')
})
afterAll(() => privx.close())

const asked = { grant_type: 'password', username: apiClient.id, password: apiClient.secret }
const current = async (token: string) => await privx.bearer('', token).get(`${roleStore}/users/current`)

describe('the token object', () => {
  test('has whole seconds and a token that calls can be made with', async () => {
    const { status, body, headers } = await privx.token({ ...asked, scope: 'privx-user' })
    expect(status).toBe(200)
    expect(body).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'privx-user',
    })
    expect(headers['cache-control']).toBe('no-store')
    expect((await current(body.access_token)).body).toMatchObject({ id: apiClient.id, permissions: ['privx-admin'] })
  })
})

describe('the password grant', () => {
  test('takes a local user too, whatever the case of their name', async () => {
    const { status, body } = await privx.token({ grant_type: 'password', username: 'uRSULA', password })
    expect(status).toBe(200)
    expect((await current(body.access_token)).body).toMatchObject({ id: ursula.id, principal: 'Ursula' })
  })

  test.each([
    ['no client', null, asked, 401, 'invalid_client'],
    ['another client', { id: 'other', secret: oauthClient.secret }, asked, 401, 'invalid_client'],
    ['a wrong client secret', { id: oauthClient.id, secret: 'wrong' }, asked, 401, 'invalid_client'],
    ['the API client as the client', apiClient, asked, 401, 'invalid_client'],
    ['a wrong secret', oauthClient, { ...asked, password: 'wrong' }, 400, 'invalid_grant'],
    ['an unknown name', oauthClient, { ...asked, username: 'nobody' }, 400, 'invalid_grant'],
    ['a wrong password', oauthClient, { ...asked, username: 'Ursula', password: 'wrong' }, 400, 'invalid_grant'],
    ['no name', oauthClient, { grant_type: 'password', password: 'x' }, 400, 'invalid_request'],
    ['no secret', oauthClient, { grant_type: 'password', username: 'x' }, 400, 'invalid_request'],
    ['no grant', oauthClient, { username: 'x' }, 400, 'invalid_request'],
    ['an unknown grant', oauthClient, { grant_type: 'device' }, 400, 'unsupported_grant_type'],
  ])('refuses %s', async (_what, basic, form, status, error) => {
    const answer = await privx.token(form as unknown as Record<string, string>, basic)
    expect([answer.status, answer.body]).toEqual([status, { error, error_description: expect.any(String) }])
  })

  test('refuses a parameter that comes twice', async () => {
    const form = 'grant_type=password&username=a&username=b&password=c'
    const headers = { authorization: basicOf(oauthClient), 'content-type': 'application/x-www-form-urlencoded' }
    const { status, body } = await privx.world.anyone.post(`${auth}/oauth/token`, form, headers)
    expect([status, body.error]).toEqual([400, 'invalid_request'])
  })

  test('counts wrong passwords at a name, and takes no right one either until the minute is over', async () => {
    await privx.user('Guessed')
    const attempt = async (secret: string) =>
      await privx.token({ grant_type: 'password', username: 'guessed', password: secret })
    const wrong = await Promise.all(Array.from({ length: 25 }, () => attempt('wrong')))
    const refused = wrong.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(5)
    expect(refused.map(({ headers }) => headers['retry-after'])).toEqual(refused.map(() => '60'))
    const login = await privx.world.anyone.post(`${auth}/login`, {
      username: 'guessed',
      password,
      token: await loginSession(),
    })
    expect([login.status, login.body.error_code, login.headers['retry-after']]).toEqual([
      429,
      'TOO_MANY_REQUESTS',
      '60',
    ])
    expect((await attempt(password)).status).toBe(429)
    expect((await privx.token({ grant_type: 'password', username: 'ursula', password })).status).toBe(200)
    privx.world.clock.advance(60_000)
    expect((await attempt(password)).status).toBe(200)
  })

  test('counts wrong clients by the address they come from, and takes no right one from there until the minute is over', async () => {
    privx.world.clock.advance(60_000)
    const from = async (remoteAddress: string, basic: { id: string; secret: string }) =>
      await privx.world.app.inject({
        method: 'POST',
        url: `${auth}/oauth/token`,
        remoteAddress,
        headers: { authorization: basicOf(basic), 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams(asked).toString(),
      })
    const guesses = []
    for (let n = 0; n < 205; n++) guesses.push(await from('192.0.2.1', { id: `client ${n}`, secret: 'guess' }))
    expect(guesses.map(({ statusCode }) => statusCode)).toEqual(guesses.map((_, n) => (n < 200 ? 401 : 429)))
    expect(guesses.at(-1)?.headers['retry-after']).toBe('60')
    expect((await from('192.0.2.1', oauthClient)).statusCode).toBe(429)
    expect((await from('192.0.2.2', oauthClient)).statusCode).toBe(200)
    privx.world.clock.advance(60_000)
    expect((await from('192.0.2.1', oauthClient)).statusCode).toBe(200)
  })

  test('a right client is no attempt', async () => {
    const form = { grant_type: 'refresh_token', refresh_token: 'none' }
    const attempts = []
    for (let n = 0; n < 205; n++) attempts.push((await privx.token(form)).body.error)
    expect(attempts).toEqual(attempts.map(() => 'invalid_grant'))
  })

  test('a right password is no attempt', async () => {
    const attempts = []
    for (let n = 0; n < 25; n++)
      attempts.push(await privx.token({ grant_type: 'password', username: 'ursula', password }))
    expect(attempts.map(({ status }) => status)).toEqual(attempts.map(() => 200))
  })
})

const verifier = randomBytes(32).toString('base64url')
const challenge = createHash('sha256').update(verifier).digest('base64url')
const redirectUri = '/privx/oauth-callback'
const authorization = {
  client_id: 'privx-ui',
  redirect_uri: redirectUri,
  response_type: 'code',
  state: 'state-of-the-client',
  user_agent: 'privx-sdk-go',
  code_challenge: challenge,
  code_challenge_method: 'S256',
}

const authorize = async (query: Record<string, string>): Promise<Answer> =>
  await privx.world.anyone.get(`${auth}/oauth/authorize?${new URLSearchParams(query).toString()}`)

async function loginSession(): Promise<string> {
  const { status, headers } = await authorize(authorization)
  expect(status).toBe(307)
  return new URL(String(headers['location']), 'http://server').searchParams.get('token') ?? ''
}

const login = async (body: object): Promise<Answer> => await privx.world.anyone.post(`${auth}/login`, body)

async function code(): Promise<string> {
  const { status, body } = await login({ username: 'Ursula', password, token: await loginSession() })
  expect([status, body]).toEqual([200, { code: expect.any(String), state: authorization.state }])
  return body.code
}

const redeem = async (form: Record<string, string>): Promise<Answer> =>
  await privx.token(
    {
      grant_type: 'authorization_code',
      client_id: 'privx-ui',
      redirect_uri: redirectUri,
      code_verifier: verifier,
      ...form,
    },
    null,
  )

describe('signing in with a code', () => {
  test('authorize, login and token give a person their token', async () => {
    const { status, body } = await redeem({ code: await code() })
    expect(status).toBe(200)
    expect((await current(body.access_token)).body).toMatchObject({ id: ursula.id })
  })

  test.each([
    ['client_id', 'other', 401, 'invalid_client'],
    ['client_id', '', 400, 'invalid_request'],
    ['redirect_uri', 'https://evil.example/', 400, 'invalid_request'],
    ['response_type', 'token', 400, 'invalid_request'],
    ['code_challenge_method', 'plain', 400, 'invalid_request'],
    ['code_challenge', 'short', 400, 'invalid_request'],
    ['state', '', 400, 'invalid_request'],
  ])('authorize refuses %s %s', async (name, value, status, error) => {
    const answer = await authorize({ ...authorization, [name]: value })
    expect([answer.status, answer.body.error]).toEqual([status, error])
  })

  test('a wrong password leaves the login session open, a right one ends it', async () => {
    const token = await loginSession()
    const wrong = await login({ username: 'Ursula', password: 'wrong', token })
    expect([wrong.status, wrong.body.error_code]).toEqual([400, 'BAD_REQUEST'])
    expect((await login({ username: 'Ursula', password, token })).status).toBe(200)
    expect((await login({ username: 'Ursula', password, token })).status).toBe(400)
  })

  test('of logins with one session at once exactly one gets a code', async () => {
    const token = await loginSession()
    const all = await Promise.all(Array.from({ length: 8 }, () => login({ username: 'Ursula', password, token })))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('an unknown login session and an API client are refused', async () => {
    expect((await login({ username: 'Ursula', password, token: 'unknown' })).status).toBe(400)
    const client = { username: apiClient.id, password: apiClient.secret, token: await loginSession() }
    expect((await login(client)).status).toBe(400)
  })

  test('login says every member that is missing', async () => {
    const { status, body } = await login({})
    expect([status, body.error_code]).toEqual([400, 'BAD_REQUEST'])
    expect(body.details.map((detail: { property: string }) => detail.property)).toEqual([
      'username',
      'password',
      'token',
    ])
  })

  test.each([
    ['another verifier', { code_verifier: randomBytes(32).toString('base64url') }, 'invalid_grant'],
    ['another redirect', { redirect_uri: '/elsewhere' }, 'invalid_grant'],
    ['another client', { client_id: 'other' }, 'invalid_client'],
    ['no verifier', { code_verifier: '' }, 'invalid_request'],
  ])('a code with %s is refused', async (_what, form, error) => {
    expect((await redeem({ code: await code(), ...(form as Record<string, string>) })).body.error).toBe(error)
  })

  test('a code that was tried with another verifier is spent', async () => {
    const tried = await code()
    await redeem({ code: tried, code_verifier: 'x' })
    expect((await redeem({ code: tried })).body.error).toBe('invalid_grant')
  })

  test('of redemptions at once exactly one succeeds', async () => {
    const once = await code()
    const all = await Promise.all(Array.from({ length: 10 }, () => redeem({ code: once })))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(all.filter(({ status }) => status === 400)).toHaveLength(9)
  })

  test('a code lives a minute, a login session ten', async () => {
    const [late, session] = [await code(), await loginSession()]
    privx.world.clock.advance(60_000)
    expect((await redeem({ code: late })).body.error).toBe('invalid_grant')
    privx.world.clock.advance(540_000)
    expect((await login({ username: 'Ursula', password, token: session })).status).toBe(400)
  })
})

describe('refreshing', () => {
  const refresh = async (token: string, more: Record<string, string> = {}) =>
    await privx.token(
      { grant_type: 'refresh_token', client_id: 'privx-ui', redirect_uri: redirectUri, refresh_token: token, ...more },
      null,
    )

  test.each([
    ['a person', () => ({ grant_type: 'password', username: 'ursula', password })],
    ['an API client', () => asked],
  ])('%s goes on with a refresh token alone', async (_who, form) => {
    const { body: first } = await privx.token(form())
    const { status, body } = await refresh(first.refresh_token)
    expect(status).toBe(200)
    expect(body.refresh_token).not.toBe(first.refresh_token)
    expect((await current(body.access_token)).status).toBe(200)
  })

  test('one that was used before ends the whole sign-in', async () => {
    const { body: first } = await privx.token(asked)
    const { body: second } = await refresh(first.refresh_token)
    privx.world.clock.advance(31_000)
    expect((await refresh(first.refresh_token)).body.error).toBe('invalid_grant')
    expect((await refresh(second.refresh_token)).body.error).toBe('invalid_grant')
    expect((await current(second.access_token)).status).toBe(401)
  })

  test('an unknown one, and one with another client, are refused', async () => {
    expect((await refresh('unknown')).body.error).toBe('invalid_grant')
    const { body } = await privx.token(asked)
    expect((await refresh(body.refresh_token, { client_id: 'other' })).body.error).toBe('invalid_client')
  })
})

describe('signing out', () => {
  test('the token and its refresh token are dead at once', async () => {
    const { body } = await privx.token(asked)
    const client = privx.bearer('', body.access_token)
    expect((await client.post(`${auth}/logout`)).status).toBe(200)
    const dead = await client.get(`${roleStore}/users/current`)
    expect([dead.status, dead.body.error_code]).toEqual([401, 'UNAUTHORIZED'])
    expect((await client.post(`${auth}/logout`)).status).toBe(401)
    const again = await privx.token({ grant_type: 'refresh_token', refresh_token: body.refresh_token }, null)
    expect(again.body.error).toBe('invalid_grant')
  })
})

describe('what proves nobody any more', () => {
  /** Somebody who may be shut out, with a code that was made for them. */
  async function begun(username: string): Promise<{ id: string; code: string }> {
    const { body } = await privx.admin.post(`${userStore}/users`, { username, password: { password } })
    const { status, body: done } = await login({ username, password, token: await loginSession() })
    expect(status).toBe(200)
    return { id: body.id, code: done.code }
  }
  const change = async (id: string) =>
    await privx.admin.put(`${userStore}/users/${id}/password`, { password: 'another' })
  const ada = async () => await privx.world.person(`Ada${privx.world.ctx.newId()}`, { admin: true })

  test.each<[string, (id: string) => Promise<Answer>]>([
    ['their password was changed', change],
    ['they were removed', async (id) => await privx.admin.delete(`${userStore}/users/${id}`)],
    ['they were disabled', async (id) => await (await ada()).post(`/v1/users/${id}/disable`)],
    [
      'they were disabled and enabled again',
      async (id) => {
        const admin = await ada()
        await admin.post(`/v1/users/${id}/disable`)
        return await admin.post(`/v1/users/${id}/enable`)
      },
    ],
  ])('a code is refused once %s', async (what, shutOut) => {
    const { id, code } = await begun(what)
    expect((await shutOut(id)).status).toBeLessThan(300)
    const answer = await redeem({ code })
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant'])
  })

  test('a login that was begun before takes the new password alone', async () => {
    const { id } = await begun('slow')
    const token = await loginSession()
    await change(id)
    expect((await login({ username: 'slow', password, token })).status).toBe(400)
    const { status, body } = await login({ username: 'slow', password: 'another', token })
    expect(status).toBe(200)
    expect((await redeem({ code: body.code })).status).toBe(200)
  })

  test('of sign-ins beside a change of the password, none with the old one is left', async () => {
    for (let round = 0; round < 5; round++) {
      const username = `racer ${round}`
      const { id } = await begun(username)
      const tokens = await Promise.all([loginSession(), loginSession(), loginSession()])
      const [, ...answers] = await Promise.all([
        change(id),
        ...tokens.map(async (token) => {
          const { body } = await login({ username, password, token })
          return body.code === undefined ? body : (await redeem({ code: body.code })).body
        }),
        ...tokens.map(
          async () => (await privx.token({ grant_type: 'password', username, password })).body as Answer['body'],
        ),
      ])
      for (const body of answers as Answer['body'][]) {
        if (body.access_token !== undefined) expect((await current(body.access_token)).status).toBe(401)
      }
    }
  })
})

describe('signing out with what is no sign-in', () => {
  test('an API key is refused, and goes on', async () => {
    const holder = await privx.world.person('Keyholder', { admin: true })
    const { body } = await holder.post('/v1/api-keys', { name: 'key', scopes: ['privx'] })
    const key = privx.bearer(holder.id, body.key)
    const answer = await key.post(`${auth}/logout`)
    expect([answer.status, answer.body.error_code]).toEqual([403, 'PERMISSION_DENIED'])
    expect((await key.get(`${roleStore}/roles`)).status).toBe(200)
  })

  test.each([
    ['nothing', {}],
    ['an OAuth client', { authorization: basicOf(oauthClient) }],
    ['an API client', { authorization: basicOf(apiClient) }],
    ['a token that is none', { authorization: 'Bearer none' }],
  ] as [string, Record<string, string>][])('%s is 401', async (_what, headers) => {
    const { status, body } = await privx.world.anyone.post(`${auth}/logout`, undefined, headers)
    expect([status, body.error_code]).toEqual([401, 'UNAUTHORIZED'])
  })
})

describe('client credentials', () => {
  const path = `${auth}/oauth/clientcredentials/privx-external/token`
  const sent = { grant_type: 'client_credentials', client_id: apiClient.id, client_secret: apiClient.secret }

  test('an API client gets its token', async () => {
    const { status, body } = await privx.world.anyone.post(path, sent)
    expect([status, body.token_type]).toEqual([200, 'Bearer'])
  })

  test.each([
    [{ client_secret: 'wrong' }, 400, 'invalid_grant'],
    [{ client_id: 'ursula', client_secret: password }, 400, 'invalid_grant'],
    [{ grant_type: 'password' }, 400, 'unsupported_grant_type'],
    [{ grant_type: '' }, 400, 'invalid_request'],
  ])('%o is refused', async (change, status, error) => {
    const answer = await privx.world.anyone.post(path, { ...sent, ...change })
    expect([answer.status, answer.body.error]).toEqual([status, error])
  })
})

describe('who calls without a good token', () => {
  test.each([
    ['no token', {}],
    ['another scheme', { authorization: basicOf(oauthClient) }],
    ['no JWT', { authorization: 'Bearer nonsense' }],
    ['a key that is none', { authorization: `Bearer qk_${'0'.repeat(32)}_${'a'.repeat(43)}` }],
  ] as [string, Record<string, string>][])('%s is 401', async (_what, headers) => {
    for (const path of [`${roleStore}/roles`, `${userStore}/users`]) {
      const { status, body } = await privx.world.anyone.get(path, undefined, headers)
      expect([status, body.error_code]).toEqual([401, 'UNAUTHORIZED'])
    }
  })

  test('a token that has expired is 401', async () => {
    const { body } = await privx.token(asked)
    privx.world.clock.advance(3_600_000)
    expect((await current(body.access_token)).status).toBe(401)
  })
})

test('the published clients of the demo sign in by a name of this machine alone', () => {
  const { world } = privx
  const published = {
    ...world.ctx,
    config: { ...world.ctx.config, privx: { ...world.ctx.config.privx, isPublished: true } },
  }
  expect(() => refuseOtherNames(published, 'rebound.example')).toThrow(
    expect.objectContaining({ code: 'OAUTH_INVALID_CLIENT' }),
  )
  for (const own of ['localhost:8080', '127.0.0.1', '[::1]:1'])
    expect(() => refuseOtherNames(published, own)).not.toThrow()
})
