import { generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultOrganization } from '../../src/identity/organization.ts'
import { startWorld, type Client, type World } from '../helpers/world.ts'

let world: World
let ben: Client
beforeAll(async () => {
  world = await startWorld()
  ben = await world.person('Ben')
})
afterAll(() => world.close())

const now = () => Math.floor(world.clock.now().getTime() / 1000)
const good = (): JWTPayload => ({
  iss: 'Quorate',
  aud: ['quorate'],
  sub: ben.id,
  iat: now(),
  exp: now() + 3600,
  name: 'Ben',
  email: 'ben@example.com',
  entityType: 'user',
  orgRole: 'member',
  org: defaultOrganization.id,
  principal: ben.id,
})
const without = (name: string) => Object.fromEntries(Object.entries(good()).filter(([claim]) => claim !== name))
const sign = async (claims: JWTPayload, alg = 'HS256', key: Uint8Array = world.ctx.keys.token) =>
  await new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT' }).sign(key)

/** A protected endpoint answers WORKFLOW_NOT_FOUND once it knows who is calling. */
const ask = async (authorization?: string) => {
  const headers = authorization === undefined ? {} : { authorization }
  const answer = await world.anyone.get('/workflows/none/canVote', undefined, headers)
  return [answer.status, answer.body.code]
}
const accepted = [404, 'WORKFLOW_NOT_FOUND']

describe('the access token of a protected endpoint (contract §0.1)', () => {
  it('is accepted with every claim in order, whatever the case of the scheme', async () => {
    const token = await sign(good())
    expect(await ask(`Bearer ${token}`)).toEqual(accepted)
    expect(await ask(`bearer ${token}`)).toEqual(accepted)
  })

  it.each([
    ['there is no header', undefined],
    ['the scheme is another', 'Basic YTpi'],
    ['there is no token after the scheme', 'Bearer'],
    ['there is a blank token', 'Bearer '],
    ['there is something after the token', 'Bearer a.b.c d'],
  ])('401 MISSING_JWT_TOKEN when %s', async (_what, authorization) => {
    expect(await ask(authorization)).toEqual([401, 'MISSING_JWT_TOKEN'])
  })

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'BearerX', 'token'])(
    '401 MISSING_JWT_TOKEN when the scheme is %s, though the token after it is good',
    async (scheme) => {
      expect(await ask(`${scheme} ${await sign(good())}`)).toEqual([401, 'MISSING_JWT_TOKEN'])
      expect(await ask(`${scheme} x`)).toEqual([401, 'MISSING_JWT_TOKEN'])
    },
  )

  it.each(['invalid', 'a.b', 'a.b.c', '..', '{}.{}.{}', 'eyJhbGciOiJIUzI1NiJ9', 'bnVsbA.e30.c2ln'])(
    '400 JWT_TOKEN_MALFORMED for Bearer %s',
    async (token) => {
      expect(await ask(`Bearer ${token}`)).toEqual([400, 'JWT_TOKEN_MALFORMED'])
    },
  )

  it('401 JWT_TOKEN_EXPIRED from the second of exp on, also for a token that was accepted before', async () => {
    const token = await sign({ ...good(), exp: now() + 10 })
    expect(await ask(`Bearer ${token}`)).toEqual(accepted)
    world.clock.advance(9_999)
    expect(await ask(`Bearer ${token}`)).toEqual(accepted)
    world.clock.advance(1)
    expect(await ask(`Bearer ${token}`)).toEqual([401, 'JWT_TOKEN_EXPIRED'])
  })

  it.each<[string, () => Promise<string>]>([
    ['signed with another key', () => sign(good(), 'HS256', new Uint8Array(32))],
    ['signed with HS384', () => sign(good(), 'HS384')],
    ['signed with HS512', () => sign(good(), 'HS512')],
    ['not signed at all', async () => new UnsecuredJWT(good()).encode()],
    [
      'signed with RS256',
      async () => {
        const { privateKey } = await generateKeyPair('RS256')
        return await new SignJWT(good()).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)
      },
    ],
    [
      'of changed claims',
      async () => {
        const [header, , signature] = (await sign(good())).split('.')
        const claims = Buffer.from(JSON.stringify({ ...good(), orgRole: 'admin' })).toString('base64url')
        return [header, claims, signature].join('.')
      },
    ],
  ])('401 JWT_TOKEN_INVALID for a token %s', async (_what, token) => {
    expect(await ask(`Bearer ${await token()}`)).toEqual([401, 'JWT_TOKEN_INVALID'])
  })

  it.each(['iss', 'aud', 'sub', 'iat', 'exp', 'name', 'entityType', 'org', 'principal'])(
    '401 INVALID_JWT_TOKEN_FORMAT without the claim %s',
    async (claim) => {
      expect(await ask(`Bearer ${await sign(without(claim))}`)).toEqual([401, 'INVALID_JWT_TOKEN_FORMAT'])
    },
  )

  it.each<[string, unknown]>([
    ['iss', 7],
    ['aud', 'quorate'],
    ['aud', 7],
    ['sub', ''],
    ['sub', 7],
    ['name', {}],
    ['entityType', true],
    ['iat', 'yesterday'],
    ['exp', 'tomorrow'],
    ['nbf', 'tomorrow'],
    ['org', 'not a uuid'],
    ['principal', 'not a uuid'],
  ])('401 INVALID_JWT_TOKEN_FORMAT when %s is %j', async (claim, value) => {
    expect(await ask(`Bearer ${await sign({ ...good(), [claim]: value })}`)).toEqual([401, 'INVALID_JWT_TOKEN_FORMAT'])
  })

  it.each<[string, () => JWTPayload]>([
    ['nbf is in the future', () => ({ nbf: now() + 1 })],
    ['iat is 61 s in the future', () => ({ iat: now() + 61 })],
  ])('401 JWT_TOKEN_EXPIRED_OR_NOT_YET_VALID when %s', async (_what, claims) => {
    const answer = await ask(`Bearer ${await sign({ ...good(), ...claims() })}`)
    expect(answer).toEqual([401, 'JWT_TOKEN_EXPIRED_OR_NOT_YET_VALID'])
  })

  it('accepts iat up to 60 s in the future, for clocks that differ', async () => {
    expect(await ask(`Bearer ${await sign({ ...good(), iat: now() + 60 })}`)).toEqual(accepted)
  })

  it('401 INVALID_ISSUER for another issuer', async () => {
    expect(await ask(`Bearer ${await sign({ ...good(), iss: 'Other' })}`)).toEqual([401, 'INVALID_ISSUER'])
  })

  it('401 INVALID_AUDIENCE when no audience is ours, and one of several is enough', async () => {
    expect(await ask(`Bearer ${await sign({ ...good(), aud: ['other'] })}`)).toEqual([401, 'INVALID_AUDIENCE'])
    expect(await ask(`Bearer ${await sign({ ...good(), aud: [] })}`)).toEqual([401, 'INVALID_AUDIENCE'])
    expect(await ask(`Bearer ${await sign({ ...good(), aud: ['other', 'quorate'] })}`)).toEqual(accepted)
  })

  it('401 INVALID_ENTITY_TYPE for an unknown kind of caller', async () => {
    expect(await ask(`Bearer ${await sign({ ...good(), entityType: 'robot' })}`)).toEqual([401, 'INVALID_ENTITY_TYPE'])
  })

  it('401 INVALID_STEP_UP_OPERATION for an unknown operation', async () => {
    const claims = { ...good(), jti: 'j', operation: 'everything' }
    expect(await ask(`Bearer ${await sign(claims)}`)).toEqual([401, 'INVALID_STEP_UP_OPERATION'])
  })

  it('401 INVALID_JWT_TOKEN_FORMAT for a step-up token without jti or with a resource that is no text', async () => {
    const token = await sign({ ...good(), operation: 'vote' })
    expect(await ask(`Bearer ${token}`)).toEqual([401, 'INVALID_JWT_TOKEN_FORMAT'])
    const other = await sign({ ...good(), operation: 'vote', jti: 'j', resource: 7 })
    expect(await ask(`Bearer ${other}`)).toEqual([401, 'INVALID_JWT_TOKEN_FORMAT'])
  })

  it('401 USER_NOT_FOUND for a user who never was, is in no such organization, or was disabled', async () => {
    const nobody = world.ctx.newId()
    const unknown = await sign({ ...good(), sub: nobody, principal: nobody })
    expect(await ask(`Bearer ${unknown}`)).toEqual([401, 'USER_NOT_FOUND'])
    expect(await ask(`Bearer ${await sign({ ...good(), org: nobody })}`)).toEqual([401, 'USER_NOT_FOUND'])
    const eve = await world.person('Eve')
    await world.ctx.db
      .updateTable('principals')
      .set({ disabled_at: world.clock.now() })
      .where('id', '=', eve.id)
      .execute()
    expect(await ask(`Bearer ${eve.token}`)).toEqual([401, 'USER_NOT_FOUND'])
  })

  it('401 AGENT_NOT_FOUND for an agent that never was', async () => {
    const claims = { ...good(), sub: 'bot', entityType: 'agent', principal: world.ctx.newId() }
    expect(await ask(`Bearer ${await sign(claims)}`)).toEqual([401, 'AGENT_NOT_FOUND'])
  })
})
