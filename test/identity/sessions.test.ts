import { decodeJwt, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessTokenVerifier } from '../../src/identity/access-token.ts'
import { forgetExpired } from '../../src/store/forget.ts'
import { freshDatabase } from '../helpers/fresh-database.ts'
import { startedSignIn } from '../helpers/sign-in.ts'
import { expectRefusal, nowhere } from '../helpers/templates.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

/** Two servers on one PostgreSQL: what ends on one has ended on the other. */
let world: WorkflowWorld
let other: World
beforeAll(async () => {
  const databaseUrl = await freshDatabase()
  world = await startWorkflowWorld({ databaseUrl })
  other = await startWorld({ databaseUrl })
})
afterAll(async () => {
  await other.close()
  await world.close()
})

const advance = (milliseconds: number) => {
  for (const { clock } of [world, other]) clock.advance(milliseconds)
}

interface SignedIn extends Client {
  readonly sessionId: string
  readonly refreshToken: string
  /** The same token at the other server. */
  readonly there: Client
}

const signedIn = async (email: string, headers?: Record<string, string>): Promise<SignedIn> => {
  const { body } = await world.anyone.post('/auth/cli/token', await startedSignIn(world, email), headers)
  const { sub = '', sid } = decodeJwt(body.accessToken)
  const there = other.withToken(sub, body.accessToken)
  return { ...world.withToken(sub, body.accessToken), sessionId: String(sid), refreshToken: body.refreshToken, there }
}
const refresh = (refreshToken: string, at: World = world) => at.anyone.post('/auth/cli/refresh', { refreshToken })
const expectEnded = async (client: SignedIn) => {
  for (const at of [client, client.there]) expectRefusal(await at.get('/auth/info'), 401, 'SESSION_ENDED')
  for (const at of [world, other]) expectRefusal(await refresh(client.refreshToken, at), 401, 'REFRESH_TOKEN_REVOKED')
}
const expectAlive = async (client: SignedIn) => {
  for (const at of [client, client.there]) expect((await at.get('/auth/info')).status).toBe(200)
}
const leavesOf = async (principalId: string) => {
  const leaves = await world.ctx.db
    .selectFrom('audit_leaves')
    .select('content')
    .where('kind', '=', 'sessions.ended')
    .where('subject_id', '=', principalId)
    .orderBy('id')
    .execute()
  return leaves.map(({ content }) => JSON.parse(content))
}

it('a sign-in that ends disturbs no vote of the same person through another sign-in, on either server', async () => {
  const busy = await world.voter('Busy', [world.guards])
  const { email } = (await busy.get(`/users/${busy.id}`)).body
  const others = await Promise.all(Array.from({ length: 20 }, () => signedIn(email)))
  const voter = await signedIn(email)
  const id = await world.opened({ approvalRule: world.rule(2) })
  const body = { voteType: { type: 'APPROVE', votedForGroups: [world.guards] } }
  const vote = (n: number) =>
    (n % 2 === 0 ? voter : voter.there).post(`/workflows/${id}/vote`, body, { 'idempotency-key': `v${n}` })
  const ending = (async () => {
    for (const { sessionId } of others) await voter.delete(`/v1/sessions/${sessionId}`)
  })()
  const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => vote(n)))
  await ending
  expect([...new Set(answers.map(({ status }) => status))]).toEqual([200])
})

describe('GET /v1/sessions', () => {
  it('shows one’s own sign-ins, newest first, with what they came from and which one is calling', async () => {
    const first = await signedIn('lister@example.com', { 'user-agent': 'curl/8' })
    advance(1000)
    const second = await signedIn('lister@example.com')
    await signedIn('somebody@example.com')
    advance(1000)
    await refresh(first.refreshToken)
    const { status, body } = await first.there.get('/v1/sessions')
    const at = (secondsAgo: number) => new Date(world.clock.now().getTime() - secondsAgo * 1000).toISOString()
    expect([status, body]).toEqual([
      200,
      {
        sessions: [
          {
            id: second.sessionId,
            channel: 'cli',
            userAgent: 'lightMyRequest',
            createdAt: at(1),
            lastUsedAt: at(1),
            current: false,
          },
          {
            id: first.sessionId,
            channel: 'cli',
            userAgent: 'curl/8',
            createdAt: at(2),
            lastUsedAt: at(0),
            current: true,
          },
        ],
        pagination: { total: 2, page: 1, limit: 20 },
      },
    ])
    expect((await first.get('/v1/sessions?limit=1&page=2')).body.sessions).toMatchObject([{ id: first.sessionId }])
  })

  it.each([
    ['page=0', 'INVALID_PAGE', 'page'],
    ['limit=x', 'INVALID_LIMIT', 'limit'],
  ])('?%s: 400 %s', async (query, code, field) => {
    expectRefusal(await world.ben.get(`/v1/sessions?${query}`), 400, code, field)
  })

  it('leaves out what can no longer be refreshed, which the clock then forgets', async () => {
    await using late = await startWorld({ engine: 'postgres' })
    const { body } = await late.anyone.post('/auth/cli/token', await startedSignIn(late, 'old@example.com'))
    late.clock.advance(30 * 86_400_000)
    const today = await late.signedIn(decodeJwt(body.accessToken).sub ?? '')
    expect((await today.get('/v1/sessions')).body).toMatchObject({ sessions: [], pagination: { total: 0 } })
    late.clock.advance(3 * 86_400_000)
    await forgetExpired(late.ctx.db, late.clock.now())
    expect(await late.ctx.db.selectFrom('sessions').select('id').execute()).toEqual([])
  })

  it('needs a token', async () => {
    expectRefusal(await world.anyone.get('/v1/sessions'), 401, 'MISSING_JWT_TOKEN')
  })
})

describe('DELETE /v1/sessions/{id}', () => {
  it('204: that sign-in ends on every server, the others go on', async () => {
    const [one, two] = [await signedIn('ender@example.com'), await signedIn('ender@example.com')]
    await expectAlive(one)
    const answer = await two.delete(`/v1/sessions/${one.sessionId.toUpperCase()}`)
    expect([answer.status, answer.body]).toEqual([204, ''])
    await expectEnded(one)
    await expectAlive(two)
    expect((await two.get('/v1/sessions')).body.sessions).toMatchObject([{ id: two.sessionId }])
    expect(await leavesOf(two.id)).toMatchObject([
      { actor: { id: two.id }, facts: { session: one.sessionId, ended: 1, because: 'revoked' } },
    ])
  })

  it('404 SESSION_NOT_FOUND, all alike: unknown, no id, another’s, ended before', async () => {
    const [mine, theirs] = [await signedIn('mine@example.com'), await signedIn('theirs@example.com')]
    const ended = await signedIn('mine@example.com')
    await mine.delete(`/v1/sessions/${ended.sessionId}`)
    for (const id of [nowhere, 'x', theirs.sessionId, ended.sessionId]) {
      expectRefusal(await mine.delete(`/v1/sessions/${id}`), 404, 'SESSION_NOT_FOUND')
    }
    await expectAlive(theirs)
    expect(await leavesOf(theirs.id)).toEqual([])
  })

  it('one’s own current one can be ended too', async () => {
    const one = await signedIn('self@example.com')
    expect((await one.delete(`/v1/sessions/${one.sessionId}`)).status).toBe(204)
    await expectEnded(one)
  })
})

describe('DELETE /v1/sessions', () => {
  it('204: all of one’s own end, with the one that asks, and nobody else’s', async () => {
    const [one, two] = [await signedIn('all@example.com'), await signedIn('all@example.com')]
    const bystander = await signedIn('bystander@example.com')
    expect((await one.delete('/v1/sessions')).status).toBe(204)
    for (const client of [one, two]) await expectEnded(client)
    await expectAlive(bystander)
    expect(await leavesOf(one.id)).toMatchObject([{ facts: { session: null, ended: 2, because: 'revoked' } }])
    await expectAlive(await signedIn('all@example.com'))
  })

  it('204 for an access token that belongs to no session', async () => {
    expect((await world.ben.delete('/v1/sessions')).status).toBe(204)
    expect((await world.ben.get('/auth/info')).status).toBe(200)
  })
})

describe('a session that ended', () => {
  it('is refused on every call that needs a token: 401 SESSION_ENDED', async () => {
    const id = await world.opened()
    const one = await signedIn('everywhere@example.com')
    await one.delete('/v1/sessions')
    const reads = [
      '/auth/info',
      '/roles',
      '/users',
      '/groups',
      '/spaces',
      '/agents',
      '/workflow-templates',
      '/workflows',
    ]
    const more = [
      `/workflows/${id}`,
      `/workflows/${id}/canVote`,
      `/workflows/${id}/votes`,
      `/v1/workflows/${id}/explain`,
    ]
    for (const url of [...reads, ...more, '/v1/sessions', '/auth/cli/initiatePrivilegedTokenExchange']) {
      const { status, body } = await one.get(url)
      expect([url, status, body.code]).toEqual([url, 401, 'SESSION_ENDED'])
    }
    const writes = ['/groups', '/spaces', `/workflows/${id}/vote`, '/workflows', `/v1/workflows/${id}/cancel`]
    const name = { name: 'x', workflowTemplateId: nowhere, voteType: { type: 'VETO' } }
    for (const url of writes) {
      const { status, body } = await one.post(url, name)
      expect([url, status, body.code]).toEqual([url, 401, 'SESSION_ENDED'])
    }
  })

  it('casts no vote that rests on what was remembered of its voter, on either server', async () => {
    const keep = await signedIn('cleo@example.com')
    const end = await signedIn('cleo@example.com')
    const body = { voteType: { type: 'APPROVE', votedForGroups: [world.guards] } }
    const vote = async (client: Client, id: string) => (await client.post(`/workflows/${id}/vote`, body)).status
    const id = await world.opened({ approvalRule: world.rule(3) })
    // Both servers know voter, request and own vote now.
    for (const client of [end, end.there, end, end.there]) expect(await vote(client, id)).toBe(200)
    await keep.delete(`/v1/sessions/${end.sessionId}`)
    for (const client of [end, end.there]) expect(await vote(client, id)).toBe(401)
    // The other sign-in makes each remember the voter as they are since: nothing else keeps this vote from being written.
    for (const [going, gone] of [
      [keep, end],
      [keep.there, end.there],
    ] as const) {
      for (let time = 0; time < 2; time++) expect(await vote(going, id)).toBe(200)
      expect(await vote(gone, id)).toBe(401)
    }
    const votes = await world.ctx.db.selectFrom('votes').select('seq').where('request_id', '=', id).execute()
    expect(votes).toHaveLength(8)
  })

  it('is remembered with the principal only as long as an access token of it may live', async () => {
    const endedOf = async (id: string) =>
      (
        await world.ctx.db
          .selectFrom('principals')
          .select('ended_sessions')
          .where('id', '=', id)
          .executeTakeFirstOrThrow()
      ).ended_sessions
    const [one, two] = [await signedIn('pruned@example.com'), await signedIn('pruned@example.com')]
    await one.delete(`/v1/sessions/${one.sessionId}`)
    await two.delete(`/v1/sessions/${two.sessionId}`)
    expect(await endedOf(one.id)).toEqual([one.sessionId, two.sessionId])
    // The hour of an access token, and two minutes for clocks that disagree.
    advance(3_719_000)
    const three = await signedIn('pruned@example.com')
    await three.delete(`/v1/sessions/${three.sessionId}`)
    expect(await endedOf(one.id)).toEqual([one.sessionId, two.sessionId, three.sessionId])
    advance(2000)
    const four = await signedIn('pruned@example.com')
    await four.delete(`/v1/sessions/${four.sessionId}`)
    expect(await endedOf(one.id)).toEqual([three.sessionId, four.sessionId])
  })
})

it('is given no earlier answer of its own either, which may hold a secret', async () => {
  const client = await signedIn('repeater@example.com')
  const call = () => client.post('/v1/api-keys', { name: 'k', scopes: ['native:read'] }, { 'idempotency-key': 'again' })
  expect((await call()).status).toBe(201)
  expect((await call()).status).toBe(201)
  await client.delete(`/v1/sessions/${client.sessionId}`)
  expectRefusal(await call(), 401, 'SESSION_ENDED')
})

describe('a refresh token used again', () => {
  it('ends the session: its access tokens are refused too, and the system is noted as who did it', async () => {
    const one = await signedIn('thief@example.com')
    const { body } = await refresh(one.refreshToken)
    advance(31_000)
    expectRefusal(await refresh(one.refreshToken, other), 409, 'REFRESH_TOKEN_REUSE_DETECTED')
    const newest = { ...one, refreshToken: body.refreshToken }
    await expectEnded(newest)
    const [leaf] = await leavesOf(one.id)
    expect(leaf).toMatchObject({
      actor: { kind: 'system' },
      facts: { session: one.sessionId, ended: 1, because: 'reuse' },
    })
  })
})

it('a refresh keeps the session: the same sid, and the access tokens of both live', async () => {
  const one = await signedIn('keeper@example.com')
  const { body } = await refresh(one.refreshToken, other)
  expect(decodeJwt(body.accessToken)['sid']).toBe(one.sessionId)
  await expectAlive(one)
})

it.each([
  [{ sid: 7 }, 'INVALID_JWT_TOKEN_FORMAT'],
  [{ sid: 'x' }, 'INVALID_JWT_TOKEN_FORMAT'],
])('a sid that is no id, %j, is %s', async (claim, code) => {
  const ben = await world.signedIn(world.ben.id)
  const claims = decodeJwt(ben.token)
  const token = await new SignJWT({ ...claims, ...claim })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(world.ctx.keys.token)
  expectRefusal(await world.withToken('', token).get('/auth/info'), 401, code)
  const verify = accessTokenVerifier(world.ctx.keys.token, world.clock)
  expect((await verify(ben.token)).sessionId).toBeNull()
})

it('of a refresh and the end of its session at once, the end wins: no token of the family lives', async () => {
  for (let round = 0; round < 10; round++) {
    const one = await signedIn('racer@example.com')
    const [renewal, ending] = await Promise.all([
      refresh(one.refreshToken, other),
      one.delete(`/v1/sessions/${one.sessionId}`),
    ])
    expect(ending.status).toBe(204)
    if (renewal.status === 200) {
      expectRefusal(await refresh(renewal.body.refreshToken), 401, 'REFRESH_TOKEN_REVOKED')
      const renewed = other.withToken(one.id, renewal.body.accessToken)
      expectRefusal(await renewed.get('/auth/info'), 401, 'SESSION_ENDED')
    } else expectRefusal(renewal, 401, 'REFRESH_TOKEN_REVOKED')
    await expectEnded(one)
  }
})

it('many sessions of one person ended at once on two servers are all remembered as ended', async () => {
  const all = await Promise.all(Array.from({ length: 12 }, () => signedIn('crowd@example.com')))
  const by = await signedIn('crowd@example.com')
  const answers = await Promise.all(
    all.map(({ sessionId }, index) => (index % 2 ? by : by.there).delete(`/v1/sessions/${sessionId}`)),
  )
  expect(answers.map(({ status }) => status)).toEqual(all.map(() => 204))
  for (const client of all) await expectEnded(client)
  await expectAlive(by)
})
