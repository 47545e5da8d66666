import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { issueTokenPair, type SignIn } from '../../src/identity/token-pair.ts'
import { defaultOrganization } from '../../src/identity/organization.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { machine } from '../helpers/agents.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

let world: World
let ben: Client
beforeAll(async () => {
  world = await startWorld()
  ben = await world.person('Ben')
})
afterAll(() => world.close())

const orgId = defaultOrganization.id
const second = 1000
const day = 86_400 * second

/** One more sign-in of someone: the first refresh token of a family of its own. */
const signedIn = async (principalId = ben.id) => {
  const familyId = world.ctx.newId()
  const pair = await transact(world.ctx, null, (tx) => issueTokenPair(world.ctx, tx, { orgId, principalId, familyId }))
  return pair.refreshToken
}
const refresh = (refreshToken: unknown, headers?: Record<string, string>) =>
  world.anyone.post('/auth/cli/refresh', { refreshToken }, headers)
const refused = async (refreshToken: string) => {
  const answer = await refresh(refreshToken)
  return [answer.status, answer.body.code]
}
const renewed = async (refreshToken: string): Promise<string> => {
  const answer = await refresh(refreshToken)
  expect(answer.status).toBe(200)
  return answer.body.refreshToken
}

describe('POST /auth/cli/refresh (contract §6.5)', () => {
  it('an active token: 200 with a new pair, of which only hashes are stored', async () => {
    const token = await signedIn()
    const answer = await refresh(token)
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.body).toSorted()).toEqual(['accessToken', 'refreshToken'])
    expect(answer.body.refreshToken).not.toBe(token)
    // 256 random bits in base64url.
    expect(answer.body.refreshToken).toMatch(/^[\w-]{43}$/)
    expect(decodeJwt(answer.body.accessToken)).toMatchObject({
      sub: ben.id,
      entityType: 'user',
      email: 'ben@example.com',
    })
    expect(answer.headers['cache-control']).toBe('no-store')
    const rows = await world.ctx.db.selectFrom('refresh_tokens').selectAll().execute()
    for (const stored of [token, answer.body.refreshToken]) expect(JSON.stringify(rows)).not.toContain(stored)
  })

  it('the new access token opens protected endpoints', async () => {
    const { body } = await refresh(await signedIn())
    const answer = await world.anyone.get('/workflows/none/canVote', undefined, {
      authorization: `Bearer ${body.accessToken}`,
    })
    expect([answer.status, answer.body.code]).toEqual([404, 'WORKFLOW_NOT_FOUND'])
  })

  it('a token used at most 30 s ago: 200 with a new pair again, and both pairs go on', async () => {
    const token = await signedIn()
    const first = await renewed(token)
    world.clock.advance(30 * second)
    const again = await renewed(token)
    expect(again).not.toBe(first)
    await renewed(first)
    await renewed(again)
  })

  it('repeating within the 30 s does not make them longer', async () => {
    const token = await signedIn()
    await renewed(token)
    world.clock.advance(20 * second)
    await renewed(token)
    world.clock.advance(11 * second)
    expect(await refused(token)).toEqual([409, 'REFRESH_TOKEN_REUSE_DETECTED'])
  })

  it('a token used longer ago: 409 REFRESH_TOKEN_REUSE_DETECTED, and the whole family with its newest token is revoked', async () => {
    const token = await signedIn()
    const next = await renewed(token)
    const newest = await renewed(next)
    world.clock.advance(30 * second + 1)
    expect(await refused(token)).toEqual([409, 'REFRESH_TOKEN_REUSE_DETECTED'])
    expect(await refused(newest)).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
    expect(await refused(next)).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
    expect(await refused(token)).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
  })

  it('other families of the same user stay as they are when one is revoked', async () => {
    const [token, other] = [await signedIn(), await signedIn()]
    await renewed(token)
    world.clock.advance(31 * second)
    expect(await refused(token)).toEqual([409, 'REFRESH_TOKEN_REUSE_DETECTED'])
    await renewed(other)
  })

  it('an unknown token: 401 REFRESH_TOKEN_NOT_FOUND', async () => {
    expect(await refused('x'.repeat(43))).toEqual([401, 'REFRESH_TOKEN_NOT_FOUND'])
  })

  it('a token of 30 days: 401 REFRESH_TOKEN_EXPIRED from that instant on, not before', async () => {
    const [token, early] = [await signedIn(), await signedIn()]
    world.clock.advance(30 * day - 1)
    const late = await renewed(early)
    world.clock.advance(1)
    expect(await refused(token)).toEqual([401, 'REFRESH_TOKEN_EXPIRED'])
    // Each issue has 30 days of its own.
    await renewed(late)
  })

  it('an expired token that was also used and revoked: 401 REFRESH_TOKEN_EXPIRED, which is checked first', async () => {
    const token = await signedIn()
    await renewed(token)
    world.clock.advance(31 * second)
    await refused(token)
    world.clock.advance(30 * day)
    expect(await refused(token)).toEqual([401, 'REFRESH_TOKEN_EXPIRED'])
  })

  it("an agent's token: 401 REFRESH_TOKEN_ENTITY_MISMATCH, and it is not used up by that", async () => {
    const agentId = world.ctx.newId()
    const at = world.ctx.clock.now()
    const agent = { org_id: orgId, id: agentId, kind: 'agent' as const, person_id: null, name: `bot-${agentId}` }
    await world.ctx.db
      .insertInto('principals')
      .values({ ...agent, created_at: at })
      .execute()
    const token = await signedIn(agentId)
    expect(await refused(token)).toEqual([401, 'REFRESH_TOKEN_ENTITY_MISMATCH'])
    const row = await world.ctx.db
      .selectFrom('refresh_tokens')
      .select('used_at')
      .where('principal_id', '=', agentId)
      .executeTakeFirstOrThrow()
    expect(row.used_at).toBeNull()
  })

  it('the token of a user who was disabled since: 401 USER_NOT_FOUND', async () => {
    const gone = await world.person('Gone')
    const token = await signedIn(gone.id)
    await world.ctx.db
      .updateTable('principals')
      .set({ disabled_at: world.ctx.clock.now() })
      .where('id', '=', gone.id)
      .execute()
    expect(await refused(token)).toEqual([401, 'USER_NOT_FOUND'])
  })

  it.each([
    ['no body', undefined, 'REQUEST_MISSING_REFRESH_TOKEN'],
    ['an empty object', {}, 'REQUEST_MISSING_REFRESH_TOKEN'],
    ['null', { refreshToken: null }, 'REQUEST_INVALID_REFRESH_TOKEN'],
    ['a number', { refreshToken: 7 }, 'REQUEST_INVALID_REFRESH_TOKEN'],
    ['an empty text', { refreshToken: '' }, 'REQUEST_INVALID_REFRESH_TOKEN'],
    ['a list for a body', [], 'MALFORMED_REQUEST'],
  ])('POST /auth/cli/refresh with %s: 400 %3$s', async (_what, body, code) => {
    const answer = await world.anyone.post('/auth/cli/refresh', body)
    expect([answer.status, answer.body.code]).toEqual([400, code])
  })

  it('looks at no Idempotency-Key: a repeated call gets a pair of its own, and after the grace ends the family', async () => {
    const token = await signedIn()
    const key = { 'idempotency-key': 'refresh-1' }
    const first = await refresh(token, key)
    const repeated = await refresh(token, key)
    expect([first.status, repeated.status]).toEqual([200, 200])
    expect(repeated.body.refreshToken).not.toBe(first.body.refreshToken)
    expect((await refresh(await signedIn(), key)).status).toBe(200)
    world.clock.advance(31 * second)
    const late = await refresh(token, key)
    expect([late.status, late.body.code]).toEqual([409, 'REFRESH_TOKEN_REUSE_DETECTED'])
    expect(await world.ctx.db.selectFrom('idempotency_keys').selectAll().execute()).toEqual([])
  })
})

describe('a pair of tokens', () => {
  const issued = async (signIn: Partial<SignIn>) => {
    const familyId = world.ctx.newId()
    const members = { orgId, principalId: ben.id, familyId, ...signIn }
    const pair = await transact(world.ctx, null, (tx) => issueTokenPair(world.ctx, tx, members))
    const sessions = world.ctx.db.selectFrom('sessions').select(['channel', 'user_agent']).where('id', '=', familyId)
    return { pair, session: await sessions.executeTakeFirstOrThrow() }
  }

  it('says that it is bound where it is', async () => {
    expect((await issued({ jkt: 'thumb' })).pair.tokenType).toBe('DPoP')
    expect((await issued({ jkt: null })).pair).not.toHaveProperty('tokenType')
  })

  it.each<[SignIn['device'], string, string | null]>([
    [undefined, 'cli', null],
    [{ channel: 'web', userAgent: null }, 'web', null],
    [{ channel: 'web', userAgent: 'x'.repeat(256) }, 'web', 'x'.repeat(256)],
    [{ channel: 'web', userAgent: 'x'.repeat(257) }, 'web', 'x'.repeat(256)],
  ])('of the device %j is noted with its channel and 256 characters of its name at most', async (device, ...noted) => {
    const { session } = await issued(device === undefined ? {} : { device })
    expect([session.channel, session.user_agent]).toEqual(noted)
  })

  it('is given to nobody who is not there or disabled', async () => {
    const nobody = issued({ principalId: world.ctx.newId() })
    await expect(nobody).rejects.toMatchObject({ code: 'CALLER_USER_NOT_FOUND' })
    const bot = await machine(world, 'bot')
    const disabled = { disabled_at: world.clock.now() }
    await world.ctx.db.updateTable('principals').set(disabled).where('id', '=', bot.id).execute()
    await expect(issued({ principalId: bot.id })).rejects.toMatchObject({ code: 'CALLER_AGENT_NOT_FOUND' })
  })
})
