import { expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { peerClients, startOidcPeer, type OidcPeer } from '../helpers/oidc-peer.ts'
import { clientRedirect } from '../helpers/sign-in.ts'
import { startWorld, type World } from '../helpers/world.ts'

const initiate = (world: World) => world.anyone.post('/auth/cli/initiate', { redirectUri: clientRedirect })

async function signInAt(world: World, peer: OidcPeer, email: string) {
  const started = await initiate(world)
  const { searchParams } = await peer.authorize(started.body.authorizationUrl, email)
  return await world.anyone.post('/auth/cli/token', Object.fromEntries(searchParams))
}

it('a confidential client proves itself with its secret', async () => {
  await using peer = await startOidcPeer([clientRedirect])
  const client = { OIDC_CLIENT_ID: peerClients.confidential, OIDC_CLIENT_SECRET: peerClients.secret }
  await using world = await startWorld({
    engine: 'postgres',
    env: { OIDC_ISSUER: peer.issuer, ...client },
  })
  expect((await signInAt(world, peer, 'secret@example.com')).status).toBe(200)
})

it('a wrong client secret: POST /auth/cli/token answers 500 UNKNOWN_ERROR', async () => {
  await using peer = await startOidcPeer([clientRedirect])
  const client = { OIDC_CLIENT_ID: peerClients.confidential, OIDC_CLIENT_SECRET: 'wrong' }
  await using world = await startWorld({
    engine: 'postgres',
    env: { OIDC_ISSUER: peer.issuer, ...client },
  })
  const answer = await signInAt(world, peer, 'secret@example.com')
  expect([answer.status, answer.body.code]).toEqual([500, 'UNKNOWN_ERROR'])
})

it('the server starts while the provider is down, and signs in once it is up, asking for its metadata once', async () => {
  const gone = await startOidcPeer([clientRedirect])
  const port = Number(new URL(gone.issuer).port)
  await gone.close()
  await using world = await startWorld({
    engine: 'postgres',
    env: { OIDC_ISSUER: gone.issuer, OIDC_CLIENT_ID: peerClients.public },
  })
  const early = await initiate(world)
  expect([early.status, early.body.code]).toEqual([500, 'UNKNOWN_ERROR'])
  const flows = await world.ctx.db.selectFrom('sign_in_flows').selectAll().execute()
  expect(flows).toEqual([])

  await using peer = await startOidcPeer([clientRedirect], port)
  expect((await signInAt(world, peer, 'later@example.com')).status).toBe(200)
  expect((await signInAt(world, peer, 'later@example.com')).status).toBe(200)
  expect(peer.calls.filter((path) => path.startsWith('/.well-known/'))).toHaveLength(1)
})

it('a provider that claims another issuer is not used: POST /auth/cli/initiate answers 500 UNKNOWN_ERROR', async () => {
  await using peer = await startOidcPeer([clientRedirect])
  peer.answers.discoveredIssuer = 'http://127.0.0.1:1'
  await using world = await startWorld({
    engine: 'postgres',
    env: { OIDC_ISSUER: peer.issuer, OIDC_CLIENT_ID: peerClients.public },
  })
  const answer = await initiate(world)
  expect([answer.status, answer.body.code]).toEqual([500, 'UNKNOWN_ERROR'])
})

it('with a provider of its own the server serves no development sign-in', async () => {
  await using world = await startWorld({
    engine: 'postgres',
    env: { OIDC_ISSUER: 'https://id.example', OIDC_CLIENT_ID: 'quorate' },
  })
  for (const path of ['/oidc/auth', '/oidc/.well-known/openid-configuration', '/oidc/sign-in']) {
    const answer = await world.anyone.get(path)
    expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'NOT_FOUND'])
  }
})

it.each([
  'http://id.example',
  'http://192.168.0.7/oidc',
  'http://localhost.evil.example',
  'ftp://127.0.0.1',
  'nonsense',
])('OIDC_ISSUER=%s refuses to start with CONFIGURATION_INVALID', (OIDC_ISSUER) => {
  expect(() => loadConfig({ OIDC_ISSUER, OIDC_CLIENT_ID: 'quorate' })).toThrow('OIDC_ISSUER')
})

it.each(['https://id.example', 'http://localhost:9000', 'http://127.0.0.1:9000/realms/a', 'http://[::1]:9000'])(
  'OIDC_ISSUER=%s is accepted',
  (OIDC_ISSUER) => {
    const config = loadConfig({ OIDC_ISSUER, OIDC_CLIENT_ID: 'quorate' })
    expect(config.signIn).toEqual({ kind: 'external', issuer: OIDC_ISSUER, clientId: 'quorate', clientSecret: null })
  },
)
