import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hashOfState } from '../../src/identity/oidc/pkce.ts'
import { startSignIn } from '../../src/identity/oidc/start-sign-in.ts'
import { peerClients, startOidcPeer, type OidcPeer } from '../helpers/oidc-peer.ts'
import { clientRedirect } from '../helpers/sign-in.ts'
import { startWorld, type World } from '../helpers/world.ts'

const withQuery = 'http://localhost:4711/callback?tenant=a&x=%C3%BC'

let peer: OidcPeer
let world: World
beforeAll(async () => {
  peer = await startOidcPeer([clientRedirect, withQuery])
  world = await startWorld({ env: { OIDC_ISSUER: peer.issuer, OIDC_CLIENT_ID: peerClients.public } })
})
afterAll(async () => {
  await world.close()
  await peer.close()
})
beforeEach(() => {
  Object.assign(peer.answers, { userInfo: {}, discoveredIssuer: null, token: null, isDown: false })
})

interface Proof {
  readonly code: string
  readonly state: string
}

/** A sign-in at the peer, up to the code and state that the client is called back with. */
const proofOf = async (email: string, redirectUri = clientRedirect): Promise<Proof> => {
  const started = await world.anyone.post('/auth/cli/initiate', { redirectUri })
  const { searchParams } = await peer.authorize(started.body.authorizationUrl, email)
  return { code: searchParams.get('code') ?? '', state: searchParams.get('state') ?? '' }
}
const redeem = (body?: unknown, headers?: Record<string, string>) => world.anyone.post('/auth/cli/token', body, headers)
const refused = async (body: unknown) => {
  const answer = await redeem(body)
  expect(answer.body.message).not.toBe('')
  return [answer.status, answer.body.code]
}
const principals = () => world.ctx.db.selectFrom('principals').selectAll().execute()

describe('POST /auth/cli/token with a real provider', () => {
  it('makes the first human who signs in organization admin, and no one after', async () => {
    const first = await redeem(await proofOf('founder@example.com'))
    expect([first.status, Object.keys(first.body).toSorted()]).toEqual([200, ['accessToken', 'refreshToken']])
    const claims = decodeJwt(first.body.accessToken)
    expect(claims).toMatchObject({ entityType: 'user', email: 'founder@example.com', orgRole: 'admin' })
    const second = await redeem(await proofOf('second@example.com'))
    expect(decodeJwt(second.body.accessToken)).toMatchObject({ email: 'second@example.com', orgRole: 'member' })
  })

  it('answers with the claims of contract §6.1 and a token that opens protected endpoints', async () => {
    const { body, headers } = await redeem(await proofOf('claims@example.com'))
    const { sub, iat, exp, ...claims } = decodeJwt(body.accessToken)
    expect(claims).toMatchObject({
      iss: 'Quorate',
      aud: ['quorate'],
      name: 'Peer claims@example.com',
      entityType: 'user',
      email: 'claims@example.com',
      orgRole: 'member',
    })
    expect(sub).toMatch(/^[0-9a-f-]{36}$/)
    expect((exp ?? 0) - (iat ?? 0)).toBe(3600)
    expect(headers['cache-control']).toBe('no-store')
    const answer = await world.anyone.get('/workflows/none/canVote', undefined, {
      authorization: `Bearer ${body.accessToken}`,
    })
    expect(answer.body.code).toBe('WORKFLOW_NOT_FOUND')
  })

  it('finds a known person by e-mail whatever its case, and registers them once', async () => {
    const first = await redeem(await proofOf('Cased@Example.com'))
    const again = await redeem(await proofOf('cased@example.COM'))
    expect(decodeJwt(again.body.accessToken).sub).toBe(decodeJwt(first.body.accessToken).sub)
    const rows = (await principals()).filter((row) => row.email?.toLowerCase() === 'cased@example.com')
    expect(rows.map((row) => row.email)).toEqual(['Cased@Example.com'])
  })

  it.each([
    ['name', { name: 'Full Name', preferred_username: 'nick' }, 'Full Name'],
    ['preferred_username when there is no name', { name: undefined, preferred_username: 'nick' }, 'nick'],
    ['preferred_username when the name is blank', { name: '  ', preferred_username: 'nick' }, 'nick'],
    ['the e-mail when there is neither', { name: undefined, preferred_username: undefined }, null],
  ])('takes as display name %s', async (what, userInfo, displayName) => {
    const email = `${what.replaceAll(' ', '.')}@example.com`
    peer.answers.userInfo = userInfo
    const { body } = await redeem(await proofOf(email))
    expect(decodeJwt(body.accessToken)['name']).toBe(displayName ?? email)
  })

  it('sends the very redirect URI of the start in the exchange, with its query', async () => {
    expect((await redeem(await proofOf('query@example.com', withQuery))).status).toBe(200)
  })

  it('leaves a user.created leaf once and a user.signed-in leaf each time', async () => {
    await redeem(await proofOf('leaf@example.com'))
    await redeem(await proofOf('leaf@example.com'))
    const [row] = (await principals()).filter(({ email }) => email === 'leaf@example.com')
    const leaves = await world.ctx.db
      .selectFrom('audit_leaves')
      .select('kind')
      .where('subject_id', '=', row?.id ?? '')
      .orderBy('id')
      .execute()
    expect(leaves.map(({ kind }) => kind)).toEqual(['user.created', 'user.signed-in', 'user.signed-in'])
  })

  it('POST /auth/cli/token for a disabled user: 401 USER_NOT_FOUND', async () => {
    await redeem(await proofOf('disabled@example.com'))
    await world.ctx.db
      .updateTable('principals')
      .set({ disabled_at: world.ctx.clock.now() })
      .where('email', '=', 'disabled@example.com')
      .execute()
    expect(await refused(await proofOf('disabled@example.com'))).toEqual([401, 'USER_NOT_FOUND'])
  })

  it.each([
    ['no body', undefined, 'REQUEST_EMPTY_BODY'],
    ['the body null', 'null', 'REQUEST_EMPTY_BODY'],
    ['a list for a body', [], 'MALFORMED_REQUEST'],
    ['an empty object', {}, 'REQUEST_MISSING_CODE'],
    ['no code', { state: 's' }, 'REQUEST_MISSING_CODE'],
    ['a code that is a number', { code: 1, state: 's' }, 'REQUEST_INVALID_CODE'],
    ['a code that is null', { code: null, state: 's' }, 'REQUEST_INVALID_CODE'],
    ['an empty code', { code: '', state: 's' }, 'REQUEST_INVALID_CODE'],
    ['an empty code and no state', { code: '' }, 'REQUEST_INVALID_CODE'],
    ['no state', { code: 'c' }, 'REQUEST_MISSING_STATE'],
    ['a state that is an object', { code: 'c', state: {} }, 'REQUEST_INVALID_STATE'],
    ['an empty state', { code: 'c', state: '' }, 'REQUEST_INVALID_STATE'],
    ['an unknown state', { code: 'c', state: 'x'.repeat(22) }, 'PKCE_CODE_NOT_FOUND'],
  ])('POST /auth/cli/token with %s: 400 %3$s', async (_what, body, code) => {
    expect(await refused(body)).toEqual([400, code])
  })

  it('POST /auth/cli/token ten minutes after the start: 400 PKCE_CODE_EXPIRED, and just before it 200', async () => {
    const [late, early] = [await proofOf('late@example.com'), await proofOf('early@example.com')]
    world.clock.advance(10 * 60_000 - 1)
    expect((await redeem(early)).status).toBe(200)
    world.clock.advance(1)
    expect(await refused(late)).toEqual([400, 'PKCE_CODE_EXPIRED'])
    // A used one stays a used one.
    expect(await refused(early)).toEqual([400, 'PKCE_CODE_ALREADY_USED'])
  })

  it('POST /auth/cli/token a second time: 400 PKCE_CODE_ALREADY_USED', async () => {
    const proof = await proofOf('twice@example.com')
    expect((await redeem(proof)).status).toBe(200)
    expect(await refused(proof)).toEqual([400, 'PKCE_CODE_ALREADY_USED'])
  })

  it('POST /auth/cli/token while another call exchanges the code: 409 PKCE_CODE_CONCURRENCY_CONFLICT, for a minute at most', async () => {
    const proof = await proofOf('crashed@example.com')
    // What a process leaves that dies between using up the flow and the end of the exchange.
    await world.ctx.db
      .updateTable('sign_in_flows')
      .set({ used_at: world.clock.now() })
      .where('state_hash', '=', hashOfState(proof.state))
      .execute()
    world.clock.advance(59_999)
    expect(await refused(proof)).toEqual([409, 'PKCE_CODE_CONCURRENCY_CONFLICT'])
    world.clock.advance(1)
    expect(await refused(proof)).toEqual([400, 'PKCE_CODE_ALREADY_USED'])
  })

  it('POST /auth/cli/token with a wrong code: 400 PKCE_CODE_VERIFICATION_FAILED, and the flow is burned for the right one', async () => {
    const proof = await proofOf('burned@example.com')
    expect(await refused({ ...proof, code: 'wrong' })).toEqual([400, 'PKCE_CODE_VERIFICATION_FAILED'])
    expect(await refused(proof)).toEqual([400, 'PKCE_CODE_ALREADY_USED'])
  })

  it("POST /auth/cli/token with another sign-in's code: 400 PKCE_CODE_VERIFICATION_FAILED, since the verifier does not fit", async () => {
    const [mine, theirs] = [await proofOf('mine@example.com'), await proofOf('theirs@example.com')]
    expect(await refused({ state: mine.state, code: theirs.code })).toEqual([400, 'PKCE_CODE_VERIFICATION_FAILED'])
  })

  it('POST /auth/cli/token with a step-up state: 400 PKCE_CODE_NOT_FOUND', async () => {
    const flow = { purpose: 'step-up' as const, redirectUri: clientRedirect }
    const { authorizationUrl: url } = await startSignIn(world.ctx, null, flow)
    expect(new URL(url).searchParams.get('prompt')).toBe('login')
    const { searchParams } = await peer.authorize(url, 'step-up@example.com')
    const proof = { code: searchParams.get('code'), state: searchParams.get('state') }
    expect(await refused(proof)).toEqual([400, 'PKCE_CODE_NOT_FOUND'])
  })

  it.each([
    ['no e-mail', { email: undefined }],
    ['an e-mail that is no text', { email: 7 }],
    ['an empty e-mail', { email: '' }],
    ['something that is no e-mail', { email: 'nobody' }],
    ['an unverified e-mail', { email_verified: false }],
    ['an unverified e-mail, said as text', { email_verified: 'false' }],
  ])(
    'POST /auth/cli/token when userinfo has %s: 400 AUTH_MISSING_EMAIL_FROM_OIDC_PROVIDER',
    async (_what, userInfo) => {
      const before = (await principals()).length
      peer.answers.userInfo = userInfo
      const proof = await proofOf('nobody@example.com')
      expect(await refused(proof)).toEqual([400, 'AUTH_MISSING_EMAIL_FROM_OIDC_PROVIDER'])
      expect(await principals()).toHaveLength(before)
      peer.answers.userInfo = {}
      expect(await refused(proof)).toEqual([400, 'PKCE_CODE_ALREADY_USED'])
    },
  )

  it('accepts an e-mail of which the provider does not say whether it is verified', async () => {
    peer.answers.userInfo = { email_verified: undefined }
    expect((await redeem(await proofOf('unsaid@example.com'))).status).toBe(200)
  })

  const forgedIdToken = (claims: (truth: Record<string, unknown>) => Record<string, unknown>) => {
    peer.answers.token = (body) => {
      const [header, payload, signature] = String(body['id_token']).split('.')
      const truth = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as Record<string, unknown>
      const lie = Buffer.from(JSON.stringify(claims(truth))).toString('base64url')
      return { body: { ...body, id_token: [header, lie, signature].join('.') } }
    }
  }

  it.each<[string, () => void]>([
    ['userinfo speaks of another subject', () => (peer.answers.userInfo = { sub: 'somebody-else' })],
    ['there is no id_token', () => (peer.answers.token = (body) => ({ body: { ...body, id_token: undefined } }))],
    ['the id_token is no JWT', () => (peer.answers.token = (body) => ({ body: { ...body, id_token: 'x.y.z' } }))],
    ['the id_token has no sub', () => forgedIdToken((claims) => ({ ...claims, sub: undefined }))],
    ['the id_token has a sub that is no text', () => forgedIdToken((claims) => ({ ...claims, sub: 7 }))],
    [
      'the id_token is of another issuer',
      () => forgedIdToken((claims) => ({ ...claims, iss: 'https://evil.example' })),
    ],
    ['the id_token is for another client', () => forgedIdToken((claims) => ({ ...claims, aud: 'other' }))],
    ['the id_token has expired', () => forgedIdToken((claims) => ({ ...claims, exp: 1 }))],
    ["the id_token's signature does not verify", () => forgedIdToken((claims) => ({ ...claims, extra: true }))],
    [
      'the token endpoint says server_error',
      () => (peer.answers.token = () => ({ status: 500, body: { error: 'server_error' } })),
    ],
    [
      'the token endpoint does not know us',
      () => (peer.answers.token = () => ({ status: 401, body: { error: 'invalid_client' } })),
    ],
    ['the token endpoint does not speak JSON', () => (peer.answers.token = () => ({ body: '<html>' }))],
    ['the provider is down', () => (peer.answers.isDown = true)],
  ])('POST /auth/cli/token when %s: 500 UNKNOWN_ERROR, without detail, and the flow is burned', async (_what, lie) => {
    const before = (await principals()).length
    const proof = await proofOf('lied-about@example.com')
    lie()
    const answer = await redeem(proof)
    expect([answer.status, answer.body]).toEqual([
      500,
      {
        code: 'UNKNOWN_ERROR',
        message: 'The identity provider could not be reached or gave an answer that does not verify.',
      },
    ])
    expect(await principals()).toHaveLength(before)
    expect(await refused(proof)).toEqual([400, 'PKCE_CODE_ALREADY_USED'])
  })

  it('looks at no Idempotency-Key: a repeated call gets no second look at the tokens, and none are kept', async () => {
    const proof = await proofOf('idempotent@example.com')
    const key = { 'idempotency-key': 'token-1' }
    expect((await redeem(proof, key)).status).toBe(200)
    const repeated = await redeem(proof, key)
    expect([repeated.status, repeated.body.code]).toEqual([400, 'PKCE_CODE_ALREADY_USED'])
    expect((await redeem(await proofOf('another@example.com'), key)).status).toBe(200)
    expect(await world.ctx.db.selectFrom('idempotency_keys').selectAll().execute()).toEqual([])
  })

  it('forgets the verifier of a finished flow', async () => {
    const proof = await proofOf('forget@example.com')
    await redeem(proof)
    const row = await world.ctx.db
      .selectFrom('sign_in_flows')
      .selectAll()
      .where('state_hash', '=', hashOfState(proof.state))
      .executeTakeFirstOrThrow()
    expect(row.sealed_verifier).toHaveLength(0)
  })
})
