import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorld, type Client, type World } from './helpers/world.ts'

const ours = 'https://approvals.example'

let world: World
let ada: Client

beforeAll(async () => {
  world = await startWorld({ env: { QUORATE_FRONTEND_URL: `${ours}/app/`, QUORATE_RATE_LIMIT: '600' } })
  ada = await world.person('Ada', { admin: true })
})
afterAll(() => world.close())

const preflight = async (origin: string, from: World = world) =>
  await from.app.inject({
    method: 'OPTIONS',
    url: '/groups',
    headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' },
  })

test('the web UI may call from its origin, with cookies, and read the headers that say something', async () => {
  const { headers } = await ada.get('/roles', undefined, { origin: ours })
  expect(headers['access-control-allow-origin']).toBe(ours)
  expect(headers['access-control-allow-credentials']).toBe('true')
  expect(headers['access-control-expose-headers']).toBe(
    'Location, RateLimit, RateLimit-Policy, Retry-After, traceparent',
  )
  expect(headers['vary']).toBe('Origin')
})

test('refusals can be read from there too', async () => {
  for (const [path, status] of [
    ['/spaces', 401],
    ['/no/such/route', 404],
  ] as const) {
    const answer = await world.anyone.get(path, undefined, { origin: ours })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, ours])
  }
})

test('its preflights are answered without a token', async () => {
  const { statusCode, headers } = await preflight(ours)
  expect(statusCode).toBe(204)
  expect(headers['access-control-allow-origin']).toBe(ours)
  expect(headers['access-control-allow-methods']).toBe('GET, HEAD, POST, PUT, PATCH, DELETE')
  expect(headers['access-control-allow-headers']).toBe('authorization')
})

test.each([
  'https://evil.example',
  'http://approvals.example',
  'https://approvals.example:444',
  'https://approvals.example.evil.example',
  'https://sub.approvals.example',
  'null',
  '*',
])('nobody else may: %s', async (origin) => {
  const { status, headers } = await ada.get('/roles', undefined, { origin })
  expect(status).toBe(200)
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  const refused = await preflight(origin)
  expect(refused.statusCode).toBe(404)
  expect(refused.json()).toMatchObject({ code: 'NOT_FOUND' })
  expect(Object.keys(refused.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
})

test('without a frontend of its own the public URL’s origin is the one', async () => {
  await using named = await startWorld({ env: { QUORATE_PUBLIC_URL: 'https://quorate.example:8443/q' } })
  expect(named.ctx.frontendUrl).toBe('https://quorate.example:8443/q/ui')
  const allowed = await preflight('https://quorate.example:8443', named)
  expect(allowed.headers['access-control-allow-origin']).toBe('https://quorate.example:8443')
  expect((await preflight(ours, named)).statusCode).toBe(404)
})

test('a public URL that is known only once the server listens is followed', async () => {
  await using late = await startWorld()
  late.ctx.publicUrl = 'http://127.0.0.1:40123'
  expect(late.ctx.frontendUrl).toBe('http://127.0.0.1:40123/ui')
  expect((await preflight('http://127.0.0.1:40123', late)).statusCode).toBe(204)
})
