import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hashOfState } from '../../src/identity/oidc/pkce.ts'
import { openBrowser, type Browser } from '../helpers/browser.ts'
import { clientRedirect, startedSignIn } from '../helpers/sign-in.ts'
import { exchange, initiated, stepUpInBrowser, stepUpProof, steppedUpWith } from '../helpers/step-up.ts'
import { expectRefusal, nowhere } from '../helpers/templates.ts'
import { startWorkflowWorld, storedIn, type WorkflowWorld } from '../helpers/workflows.ts'
import { startWorld, type Answer, type Client } from '../helpers/world.ts'

let world: WorkflowWorld
let cleo: Client
const email = 'cleo@example.com'
const vote = { operation: 'vote' }
beforeAll(async () => {
  world = await startWorkflowWorld({ start: new Date() })
  cleo = world.cleo
})
afterAll(() => world.close())
// The provider gives the real time as auth_time.
beforeEach(() => world.clock.set(new Date()))

const inBrowser = async (person = email): Promise<Browser> => {
  const browser = openBrowser(world)
  expect((await browser.signIn(person)).status).toBe(302)
  return browser
}
const initiateUrl = '/auth/cli/initiatePrivilegedTokenExchange'
const exchangeUrl = '/auth/cli/exchangePrivilegedToken'
/** A workflow whose one approval needs a step-up. */
const locked = async (minCount = 2) =>
  await world.opened({ approvalRule: { ...world.rule(minCount), requireHighPrivilege: true } })
const protectedVote = (client: Client, id: string) => world.vote(client, id, 'APPROVE')
const webVote = (browser: Browser, id: string): Promise<Answer> =>
  browser.send('POST', `/workflows/${id}/vote`, { voteType: { type: 'APPROVE', votedForGroups: [world.guards] } })
const outcome = ({ status, body }: Answer) => (status === 200 ? body.workflowStatus : `${status} ${body.code}`)

describe('GET /auth/cli/initiatePrivilegedTokenExchange', () => {
  it('302 to the provider, which has to ask for a sign-in and to say when it was', async () => {
    const { searchParams } = await initiated(cleo)
    expect(Object.fromEntries(searchParams)).toMatchObject({
      prompt: 'login',
      max_age: '0',
      redirect_uri: clientRedirect,
      code_challenge_method: 'S256',
    })
  })

  it('without a redirectUri it comes back to the redirect of the web', async () => {
    const { status, headers } = await cleo.get(initiateUrl)
    const { searchParams } = new URL(String(headers['location']))
    expect([status, searchParams.get('redirect_uri')]).toEqual([302, `${world.ctx.publicUrl}/auth/web/callback`])
  })

  it.each([
    'redirectUri=https://evil.example',
    'redirectUri=',
    'redirectUri=http://localhost.evil.example',
    'redirectUri=http://localhost&redirectUri=http://localhost',
  ])('400 AUTH_INVALID_REDIRECT_URI for ?%s', async (query) => {
    expectRefusal(await cleo.get(`${initiateUrl}?${query}`), 400, 'AUTH_INVALID_REDIRECT_URI', 'redirectUri')
  })

  it('401 MISSING_JWT_TOKEN without a token', async () => {
    expectRefusal(await world.anyone.get(initiateUrl), 401, 'MISSING_JWT_TOKEN')
  })

  it('500 UNKNOWN_ERROR while the provider is down, and 400 INITIATION_FAILED for the web', async () => {
    await using other = await startWorld({ env: { OIDC_ISSUER: 'http://127.0.0.1:1', OIDC_CLIENT_ID: 'q' } })
    const ann = await other.person('Ann')
    expectRefusal(await ann.get(initiateUrl), 500, 'UNKNOWN_ERROR')
    expectRefusal(await ann.post('/auth/web/initiatePrivilegedTokenExchange'), 400, 'INITIATION_FAILED')
  })
})

describe.each(['cli', 'web'])('POST /auth/%s/exchangePrivilegedToken', (channel) => {
  const url = `/auth/${channel}/exchangePrivilegedToken`
  const proof = { code: 'c', state: 's' }
  it.each([
    ['no body', undefined, 400, 'REQUEST_EMPTY_BODY', undefined],
    ['a list', [], 400, 'MALFORMED_REQUEST', undefined],
    ['no code', { state: 's', ...vote }, 400, 'REQUEST_MISSING_CODE', 'code'],
    ['a code that is a number', { code: 1, state: 's', ...vote }, 400, 'REQUEST_INVALID_CODE', 'code'],
    ['no state', { code: 'c', ...vote }, 400, 'REQUEST_MISSING_STATE', 'state'],
    ['an empty state', { code: 'c', state: '', ...vote }, 400, 'REQUEST_INVALID_STATE', 'state'],
    ['no operation', proof, 400, 'REQUEST_MISSING_OPERATION', 'operation'],
    ['an operation that is null', { ...proof, operation: null }, 400, 'REQUEST_INVALID_OPERATION', 'operation'],
    ['an unknown operation', { ...proof, operation: 'votes' }, 400, 'REQUEST_INVALID_OPERATION', 'operation'],
    ['an empty resourceId', { ...proof, ...vote, resourceId: '' }, 400, 'REQUEST_INVALID_RESOURCE_ID', 'resourceId'],
    [
      'a resourceId that is null',
      { ...proof, ...vote, resourceId: null },
      400,
      'REQUEST_INVALID_RESOURCE_ID',
      'resourceId',
    ],
    ['an unknown state', { ...proof, ...vote }, 400, 'PKCE_CODE_NOT_FOUND', undefined],
  ] as const)('with %s: %3$i %4$s', async (_what, body, status, code, field) => {
    expectRefusal(await cleo.post(url, body), status, code, field)
  })

  it('403 AUTH_INVALID_ENTITY for an agent, 401 MISSING_JWT_TOKEN for nobody', async () => {
    expectRefusal(await world.robot.post(url, { ...proof, ...vote }), 403, 'AUTH_INVALID_ENTITY')
    expectRefusal(await world.anyone.post(url, { ...proof, ...vote }), 401, 'MISSING_JWT_TOKEN')
  })

  it('400 PKCE_CODE_NOT_FOUND for a state of a sign-in, which stays good for it', async () => {
    const login = await startedSignIn(world, email)
    expectRefusal(await cleo.post(url, { ...login, ...vote }), 400, 'PKCE_CODE_NOT_FOUND')
    expect((await world.anyone.post('/auth/cli/token', login)).status).toBe(200)
  })

  it('400 PKCE_CODE_EXPIRED, PKCE_CODE_ALREADY_USED and PKCE_CODE_VERIFICATION_FAILED', async () => {
    const [late, used, forged] = [
      await stepUpProof(world, cleo, email),
      await stepUpProof(world, cleo, email),
      await stepUpProof(world, cleo, email),
    ]
    const past = { expires_at: world.clock.now() }
    await world.ctx.db
      .updateTable('sign_in_flows')
      .set(past)
      .where('state_hash', '=', hashOfState(late.state))
      .execute()
    expectRefusal(await cleo.post(url, { ...late, ...vote }), 400, 'PKCE_CODE_EXPIRED')
    expect((await cleo.post(url, { ...used, ...vote })).status).toBe(channel === 'cli' ? 200 : 204)
    expectRefusal(await cleo.post(url, { ...used, ...vote }), 400, 'PKCE_CODE_ALREADY_USED')
    const tampered = { ...forged, code: `${forged.code}x`, ...vote }
    expectRefusal(await cleo.post(url, tampered), 400, 'PKCE_CODE_VERIFICATION_FAILED')
    expectRefusal(await cleo.post(url, { ...forged, ...vote }), 400, 'PKCE_CODE_ALREADY_USED')
  })

  it('409 PKCE_CODE_CONCURRENCY_CONFLICT while the code is being exchanged', async () => {
    const taken = await stepUpProof(world, cleo, email)
    const now = { used_at: world.clock.now() }
    await world.ctx.db
      .updateTable('sign_in_flows')
      .set(now)
      .where('state_hash', '=', hashOfState(taken.state))
      .execute()
    expectRefusal(await cleo.post(url, { ...taken, ...vote }), 409, 'PKCE_CODE_CONCURRENCY_CONFLICT')
  })

  it('403 AUTH_INVALID_ENTITY when another person signed in, who is not registered by it', async () => {
    for (const other of ['dan@example.com', 'nobody@example.com']) {
      const body = { ...(await stepUpProof(world, cleo, other)), ...vote }
      expectRefusal(await cleo.post(url, body), 403, 'AUTH_INVALID_ENTITY')
    }
    const known = await world.ctx.db.selectFrom('principals').select('email').execute()
    expect(known).not.toContainEqual({ email: 'nobody@example.com' })
  })

  it('403 AUTH_INVALID_ENTITY for a state that another began, which stays good for them', async () => {
    const proofOfCleo = { ...(await stepUpProof(world, cleo, email)), ...vote }
    expectRefusal(await world.dan.post(url, proofOfCleo), 403, 'AUTH_INVALID_ENTITY')
    expect((await cleo.post(url, proofOfCleo)).status).toBeLessThan(300)
  })

  it('400 AUTH_SIGN_IN_NOT_FRESH more than 30 s after the sign-in at the provider, or before it', async () => {
    const real = world.clock.now()
    const [late, ahead] = [await stepUpProof(world, cleo, email), await stepUpProof(world, cleo, email)]
    const startedAt = Date.now()
    world.clock.set(new Date(startedAt + 31_000))
    expectRefusal(await cleo.post(url, { ...late, ...vote }), 400, 'AUTH_SIGN_IN_NOT_FRESH')
    world.clock.set(new Date(startedAt - 60_000))
    const early = await world.signedIn(cleo.id)
    expectRefusal(await early.post(url, { ...ahead, ...vote }), 400, 'AUTH_SIGN_IN_NOT_FRESH')
    world.clock.set(real)
  })

  it('503 AUTH_HIGH_PRIVILEGE_FLOW_DISABLED with QUORATE_STEP_UP=0, and so is the start', async () => {
    await using off = await startWorld({ env: { QUORATE_STEP_UP: '0' } })
    const ann = await off.person('Ann')
    expectRefusal(await ann.post(url, { ...proof, ...vote }), 503, 'AUTH_HIGH_PRIVILEGE_FLOW_DISABLED')
    const starts = [ann.get(initiateUrl), ann.post('/auth/web/initiatePrivilegedTokenExchange')]
    for (const started of starts) expectRefusal(await started, 503, 'AUTH_HIGH_PRIVILEGE_FLOW_DISABLED')
  })
})

describe('a step-up from the command line', () => {
  it('gives an access token of the caller with jti, operation and resource, for 120 s, and leaves an audit leaf', async () => {
    const id = await locked()
    const { body, headers } = await exchange(cleo, {
      ...(await stepUpProof(world, cleo, email)),
      ...vote,
      resourceId: id.toUpperCase(),
    })
    expect([Object.keys(body), headers['cache-control']]).toEqual([['accessToken'], 'no-store'])
    const { iat = 0, exp = 0, jti, ...claims } = decodeJwt(body.accessToken)
    expect(claims).toMatchObject({ sub: cleo.id, entityType: 'user', operation: 'vote', resource: id })
    expect(exp - iat).toBe(120)
    const leaf = await world.ctx.db
      .selectFrom('audit_leaves')
      .select(['content', 'private'])
      .where('kind', '=', 'user.stepped-up')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow()
    expect(JSON.parse(leaf.content)).toMatchObject({ subject: cleo.id, facts: { token: jti, operation: 'vote' } })
    expect(leaf.private).toMatchObject({ resource: { text: id } })
    const kept = world.ctx.db.selectFrom('single_use_tokens').select('purpose').where('id', '=', String(jti))
    expect(await kept.execute()).toEqual([{ purpose: 'step-up' }])
  })

  it.each<[string, string, () => Promise<readonly [asked: string, bound: unknown]>]>([
    ['vote', 'the id of no workflow', async () => [nowhere, nowhere]],
    ['vote', 'the name of no workflow', async () => ['no-such-workflow', 'no-such-workflow']],
    ['admin_action', 'an id', async () => [nowhere, nowhere]],
    [
      'admin_action',
      'what is the name of a workflow',
      async () => {
        const { name } = (await cleo.get(`/workflows/${await locked()}`)).body
        return [name, name]
      },
    ],
  ])('for the operation %s on %s is bound to just that', async (operation, _what, arrange) => {
    const [resourceId, resource] = await arrange()
    const { token } = await steppedUpWith(world, cleo, email, { operation, resourceId })
    expect(decodeJwt(token)).toMatchObject({ operation, resource })
  })

  it('casts one protected vote, and no second', async () => {
    const id = await locked()
    expect(outcome(await protectedVote(cleo, id))).toBe('403 STEP_UP_CONTEXT_MISSING')
    const fresh = await steppedUpWith(world, cleo, email, { ...vote, resourceId: id })
    expect(outcome(await protectedVote(fresh, id))).toBe('EVALUATION_IN_PROGRESS')
    expect(outcome(await protectedVote(fresh, id))).toBe('403 STEP_UP_TOKEN_ALREADY_USED')
  })

  it('bound to a workflow by its name it fits that workflow, called by either', async () => {
    const id = await locked()
    const { name } = (await cleo.get(`/workflows/${id}`)).body
    const fresh = await steppedUpWith(world, cleo, email, { ...vote, resourceId: name })
    expect(decodeJwt(fresh.token)['resource']).toBe(id)
    expect(outcome(await protectedVote(fresh, name))).toBe('EVALUATION_IN_PROGRESS')
  })

  it('without a resource it fits any workflow', async () => {
    const fresh = await steppedUpWith(world, cleo, email, vote)
    expect(decodeJwt(fresh.token)['resource']).toBeUndefined()
    expect(outcome(await protectedVote(fresh, await locked()))).toBe('EVALUATION_IN_PROGRESS')
  })

  it('for another workflow, a name that there is not or another operation it is refused, and not spent', async () => {
    const [id, other] = [await locked(), await locked()]
    const fresh = await steppedUpWith(world, cleo, email, { ...vote, resourceId: other })
    const before = await storedIn(world)
    expect(outcome(await protectedVote(fresh, id))).toBe('403 STEP_UP_RESOURCE_MISMATCH')
    expect(await storedIn(world)).toEqual(before)
    expect(outcome(await protectedVote(fresh, other))).toBe('EVALUATION_IN_PROGRESS')
    const lost = await steppedUpWith(world, cleo, email, { ...vote, resourceId: 'no-such-workflow' })
    expect(outcome(await protectedVote(lost, id))).toBe('403 STEP_UP_RESOURCE_MISMATCH')
    const admin = await steppedUpWith(world, cleo, email, { operation: 'admin_action', resourceId: id })
    expect(outcome(await protectedVote(admin, id))).toBe('403 STEP_UP_OPERATION_MISMATCH')
  })

  it('after 120 s it is expired', async () => {
    const id = await locked()
    const real = world.clock.now()
    const fresh = await steppedUpWith(world, cleo, email, { ...vote, resourceId: id })
    world.clock.set(new Date(real.getTime() + 120_000))
    expect(outcome(await protectedVote(fresh, id))).toBe('401 JWT_TOKEN_EXPIRED')
    world.clock.set(real)
  })

  it('a repeated exchange with one Idempotency-Key gives the same token', async () => {
    const body = { ...(await stepUpProof(world, cleo, email)), ...vote }
    const headers = { 'idempotency-key': 'step-up' }
    const [one, other] = [await cleo.post(exchangeUrl, body, headers), await cleo.post(exchangeUrl, body, headers)]
    expect([one.status, other.body]).toEqual([200, one.body])
  })

  it('is good no longer once step-up is switched off', async () => {
    await using off = await startWorkflowWorld({ env: { QUORATE_STEP_UP: '0' } })
    const id = await off.opened({ approvalRule: { ...off.rule(2), requireHighPrivilege: true } })
    const fresh = await off.steppedUp(off.cleo)
    expect(outcome(await off.vote(fresh, id, 'APPROVE'))).toBe('403 STEP_UP_CONTEXT_MISSING')
  })
})

describe('a step-up in a browser', () => {
  it('204 with the cookie privilege_token and no body, good for one vote', async () => {
    const [browser, id] = [await inBrowser(), await locked()]
    expect(outcome(await webVote(browser, id))).toBe('403 STEP_UP_CONTEXT_MISSING')
    const answer = await stepUpInBrowser(world, browser, email, { ...vote, resourceId: id })
    expect([answer.status, answer.body]).toEqual([204, ''])
    expect(browser.jar.get('privilege_token')?.attributes).toEqual([
      'HttpOnly',
      'Max-Age=120',
      'Path=/',
      'SameSite=Strict',
    ])
    expect(outcome(await webVote(browser, id))).toBe('EVALUATION_IN_PROGRESS')
    expect(outcome(await webVote(browser, id))).toBe('403 STEP_UP_TOKEN_ALREADY_USED')
  })

  it('for another workflow it is refused, and not spent', async () => {
    const [browser, id, other] = [await inBrowser(), await locked(), await locked()]
    await stepUpInBrowser(world, browser, email, { ...vote, resourceId: other })
    expect(outcome(await webVote(browser, id))).toBe('403 STEP_UP_RESOURCE_MISMATCH')
    expect(outcome(await webVote(browser, other))).toBe('EVALUATION_IN_PROGRESS')
  })

  it('after 120 s it counts as none, and so does one that makes no sense', async () => {
    const [browser, id, real] = [await inBrowser(), await locked(), world.clock.now()]
    await stepUpInBrowser(world, browser, email, { ...vote, resourceId: id })
    world.clock.set(new Date(real.getTime() + 120_000))
    expect(outcome(await webVote(browser, id))).toBe('403 STEP_UP_CONTEXT_MISSING')
    world.clock.set(real)
    browser.jar.set('privilege_token', { value: 'nonsense', path: '/', attributes: [] })
    expect(outcome(await webVote(browser, id))).toBe('403 STEP_UP_CONTEXT_MISSING')
  })

  it('of another person, or of another sign-in of the same one, it counts as none', async () => {
    const id = await locked()
    const [own, again, dans] = [await inBrowser(), await inBrowser(), await inBrowser('dan@example.com')]
    await stepUpInBrowser(world, dans, 'dan@example.com', vote)
    await stepUpInBrowser(world, again, email, vote)
    for (const other of [dans, again]) {
      const cookie = other.jar.get('privilege_token')
      expect(cookie).toBeDefined()
      if (cookie !== undefined) own.jar.set('privilege_token', cookie)
      expect(outcome(await webVote(own, id))).toBe('403 STEP_UP_CONTEXT_MISSING')
    }
    expect(outcome(await webVote(again, id))).toBe('EVALUATION_IN_PROGRESS')
  })

  it('of another person it counts as none also where neither belongs to a session', async () => {
    const id = await locked()
    const kept = (value: string) => ({ value, path: '/', attributes: [] })
    const withStepUpOf = async (person: Client) => {
      const browser = openBrowser(world)
      browser.jar.set('access_token', kept((await world.signedIn(cleo.id)).token))
      browser.jar.set('privilege_token', kept((await world.steppedUp(person)).token))
      return outcome(await webVote(browser, id))
    }
    expect(await withStepUpOf(world.dan)).toBe('403 STEP_UP_CONTEXT_MISSING')
    expect(await withStepUpOf(cleo)).toBe('EVALUATION_IN_PROGRESS')
  })

  it('goes along with no token in the Authorization header, and stands for no access token', async () => {
    const [browser, id] = [await inBrowser(), await locked()]
    await stepUpInBrowser(world, browser, email, vote)
    const headers = { authorization: `Bearer ${cleo.token}` }
    const body = { voteType: { type: 'APPROVE', votedForGroups: [world.guards] } }
    const mixed = await browser.send('POST', `/workflows/${id}/vote`, body, headers)
    expect(outcome(mixed)).toBe('403 STEP_UP_CONTEXT_MISSING')
    browser.jar.delete('access_token')
    expect(outcome(await webVote(browser, id))).toBe('401 MISSING_JWT_TOKEN')
  })

  it('dies with its session', async () => {
    const [browser, id] = [await inBrowser(), await locked()]
    await stepUpInBrowser(world, browser, email, vote)
    const token = browser.jar.get('privilege_token')?.value ?? ''
    await browser.send('DELETE', '/v1/sessions')
    expect(outcome(await protectedVote(world.withToken(cleo.id, token), id))).toBe('401 SESSION_ENDED')
  })
})
