import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { openBrowser } from '../helpers/browser.ts'
import { peerClients, startOidcPeer, type OidcPeer } from '../helpers/oidc-peer.ts'
import { clientRedirect } from '../helpers/sign-in.ts'
import { exchange, initiated, proofIn } from '../helpers/step-up.ts'
import { expectRefusal } from '../helpers/templates.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

/** Step-up and web sign-in at a provider that is not ours, with sessions and a sign-in page of its own. */
let peer: OidcPeer
let world: World
let ann: Client
beforeAll(async () => {
  const web = 'http://127.0.0.1:8080/auth/web/callback'
  peer = await startOidcPeer([clientRedirect, web])
  world = await startWorld({ start: new Date(), env: { OIDC_ISSUER: peer.issuer, OIDC_CLIENT_ID: peerClients.public } })
  ann = await world.person('Ann')
})
afterAll(async () => {
  await world.close()
  await peer.close()
})
beforeEach(() => {
  Object.assign(peer.answers, { userInfo: {}, token: null })
  world.clock.set(new Date())
})

const email = 'ann@example.com'
const exchanged = async (url: URL, who = email) => {
  const proof = proofIn(await peer.authorize(url.href, who))
  return await exchange(ann, { ...proof, operation: 'vote' })
}

it('a fresh sign-in there is a step-up here', async () => {
  expect((await exchanged(await initiated(ann))).status).toBe(200)
})

it('finds the same person by e-mail address, whatever its case', async () => {
  expect((await exchanged(await initiated(ann), 'ANN@example.com')).status).toBe(200)
})

it('a provider that ignores that it should ask, and does not say when: 400 AUTH_SIGN_IN_NOT_FRESH', async () => {
  const url = await initiated(ann)
  for (const name of ['prompt', 'max_age']) url.searchParams.delete(name)
  expectRefusal(await exchanged(url), 400, 'AUTH_SIGN_IN_NOT_FRESH')
})

it.each([
  [30_000, 200],
  [30_001, 400],
  [-30_000, 200],
  [-30_001, 400],
])('a step-up %i ms after the sign-in there: %i', async (milliseconds, expected) => {
  peer.answers.token = (body) => {
    const { auth_time: at } = decodeJwt(String(body['id_token']))
    world.clock.set(new Date(Number(at) * 1000 + milliseconds))
    return { body }
  }
  const { status, body } = await exchanged(await initiated(ann))
  expect([status, body.code]).toEqual([expected, expected === 200 ? undefined : 'AUTH_SIGN_IN_NOT_FRESH'])
})

it('an id_token for another nonce is none of this sign-in: 500 UNKNOWN_ERROR', async () => {
  for (const nonce of ['another', null]) {
    const url = await initiated(ann)
    if (nonce === null) url.searchParams.delete('nonce')
    else url.searchParams.set('nonce', nonce)
    expectRefusal(await exchanged(url), 500, 'UNKNOWN_ERROR')
  }
})

it('another person there is nobody here: 403 AUTH_INVALID_ENTITY', async () => {
  expectRefusal(await exchanged(await initiated(ann), 'bob@example.com'), 403, 'AUTH_INVALID_ENTITY')
})

it('no e-mail address: 400 AUTH_MISSING_EMAIL_FROM_OIDC_PROVIDER, for a step-up and in a browser', async () => {
  peer.answers.userInfo = { email: undefined }
  expectRefusal(await exchanged(await initiated(ann)), 400, 'AUTH_MISSING_EMAIL_FROM_OIDC_PROVIDER')
  const browser = openBrowser(world)
  const { headers } = await browser.get('/auth/web/login?provider=oidc')
  const back = await peer.authorize(String(headers['location']), email)
  const { headers: sent } = await browser.get(`${back.pathname}${back.search}`)
  expect(sent['location']).toMatch(/\/ui\/login\?error=auth_missing_email_from_oidc_provider$/)
})

it('a provider that fails while a browser comes back: unknown_error', async () => {
  const browser = openBrowser(world)
  const { headers } = await browser.get('/auth/web/login')
  const back = await peer.authorize(String(headers['location']), email)
  peer.answers.token = () => ({ status: 500, body: {} })
  const { status, headers: sent } = await browser.get(`${back.pathname}${back.search}`)
  expect([status, sent['location']]).toEqual([302, 'http://127.0.0.1:8080/ui/login?error=unknown_error'])
})

it('signs a browser in', async () => {
  const browser = openBrowser(world)
  const { headers } = await browser.get('/auth/web/login')
  const back = await peer.authorize(String(headers['location']), email)
  const answer = await browser.get(`${back.pathname}${back.search}`)
  expect([answer.status, answer.headers['location']]).toEqual([302, 'http://127.0.0.1:8080/ui'])
  expect((await browser.get('/auth/info')).body.id).toBe(ann.id)
})
