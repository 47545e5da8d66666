import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { openBrowser } from '../helpers/browser.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { peerClients, startOidcPeer, type OidcPeer } from '../helpers/oidc-peer.ts'
import { clientRedirect } from '../helpers/sign-in.ts'
import { exchange, initiated, proofIn } from '../helpers/step-up.ts'
import { startTwoProcesses, type Remote, type TwoProcesses } from '../helpers/two-processes.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'
import type { Answer } from '../helpers/world.ts'

/** A thousand calls at once, half on each of two processes on one PostgreSQL, with what is good for one. */
let peer: OidcPeer
let world: WorkflowWorld
let two: TwoProcesses
beforeAll(async () => {
  peer = await startOidcPeer([clientRedirect, 'http://127.0.0.1:8080/auth/web/callback'])
  const databaseUrl = await freshDatabase()
  const env = {
    OIDC_ISSUER: peer.issuer,
    OIDC_CLIENT_ID: peerClients.public,
    QUORATE_PUBLIC_URL: 'http://127.0.0.1:8080',
  }
  world = await startWorkflowWorld({ databaseUrl, env, start: new Date() })
  two = await startTwoProcesses({ ...env, DATABASE_URL: databaseUrl })
})
afterAll(async () => {
  await two[Symbol.asyncDispose]()
  await world.close()
  await peer.close()
})
// The provider and the processes have the real time.
beforeEach(() => world.clock.set(new Date()))

const calls = 1000
const outcomeOf = ({ status, body, headers }: Answer) =>
  status === 302 ? String(headers['location']).replace(/^[^=]*error=/, 'error ') : `${status} ${body.code ?? ''}`.trim()
const atOnce = async (call: (at: Remote) => Promise<Answer>) => await two.tally(calls, call, outcomeOf)
const sum = (tally: Record<string, number>) => Object.values(tally).reduce((all, count) => all + count, 0)
const count = async (table: 'sessions' | 'refresh_tokens' | 'single_use_tokens' | 'votes') =>
  (await world.ctx.db.selectFrom(table).selectAll().execute()).length
const email = 'cleo@example.com'
const backFrom = async (authorizationUrl: unknown) => await peer.authorize(String(authorizationUrl), email)
const stepUpProof = async () => proofIn(await backFrom(await initiated(world.cleo)))

it('one state redeemed a thousand times from the command line: one sign-in', async () => {
  const started = await world.anyone.post('/auth/cli/initiate', { redirectUri: clientRedirect })
  const proof = proofIn(await backFrom(started.body.authorizationUrl))
  const before = [await count('sessions'), await count('refresh_tokens')] as const
  const tally = await atOnce((at) => at.anyone.post('/auth/cli/token', proof))
  const { '200': won, '409 PKCE_CODE_CONCURRENCY_CONFLICT': lost = 0, '400 PKCE_CODE_ALREADY_USED': late = 0 } = tally
  expect([won, lost + late, sum(tally)]).toEqual([1, calls - 1, calls])
  expect([await count('sessions'), await count('refresh_tokens')]).toEqual([before[0] + 1, before[1] + 1])
})

it('one state brought back a thousand times by its browser: one sign-in', async () => {
  const browser = openBrowser(world)
  const { headers } = await browser.get('/auth/web/login')
  const { pathname, search } = await backFrom(headers['location'])
  const cookie = [...browser.jar].map(([name, { value }]) => `${name}=${value}`).join('; ')
  const tally = await atOnce((at) => at.anyone.get(`${pathname}${search}`, undefined, { cookie }))
  const { [`${world.ctx.publicUrl}/ui`]: won, ...others } = tally
  const { 'error pkce_code_concurrency_conflict': lost = 0, 'error pkce_code_already_used': late = 0 } = others
  expect([won, lost + late]).toEqual([1, calls - 1])
})

it('one step-up exchanged a thousand times: one token', async () => {
  const proof = await stepUpProof()
  const before = await count('single_use_tokens')
  const body = { ...proof, operation: 'vote' }
  const tally = await atOnce((at) => exchange(at.bearing(world.cleo.token), body))
  const { '200': won, '409 PKCE_CODE_CONCURRENCY_CONFLICT': lost = 0, '400 PKCE_CODE_ALREADY_USED': late = 0 } = tally
  expect([won, lost + late]).toEqual([1, calls - 1])
  expect(await count('single_use_tokens')).toBe(before + 1)
})

it.each(['one workflow', 'many workflows'])(
  'one step-up token used for a thousand votes on %s: one vote',
  async (where) => {
    const template = await world.made({ approvalRule: { ...world.rule(3), requireHighPrivilege: true } })
    const ids = await Promise.all(
      Array.from({ length: where === 'one workflow' ? 1 : 20 }, () => world.openedUnder(template.id)),
    )
    const { body } = await exchange(world.cleo, { ...(await stepUpProof()), operation: 'vote' })
    const before = await count('votes')
    let serial = 0
    const tally = await atOnce((at) =>
      world.vote(at.bearing(body.accessToken), ids[serial++ % ids.length] as string, 'APPROVE'),
    )
    // A call that waits ten seconds for the store is sent away undone.
    const { '200': won, '403 STEP_UP_TOKEN_ALREADY_USED': late = 0, '503 SERVICE_UNAVAILABLE': away = 0 } = tally
    expect([won, late + away]).toEqual([1, calls - 1])
    expect(late).toBeGreaterThan(0)
    expect(await count('votes')).toBe(before + 1)
  },
)
