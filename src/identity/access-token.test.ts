import { CompactSign, decodeJwt, decodeProtectedHeader, UnsecuredJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { newKeyPair, sign, signedText } from '../../test/helpers/signing.ts'
import { AppError } from '../errors.ts'
import { accessTokenVerifier, signAccessToken, type TokenSubject } from './access-token.ts'

const key = new Uint8Array(32).fill(7)
const start = new Date('2026-11-21T12:00:00.750Z')
const seconds = Math.floor(start.getTime() / 1000)
const clockAt = (instant: Date) => ({ now: () => instant })
const [org, id, session] = ['a', 'b', 'c'].map((digit) => `00000000-0000-7000-8000-00000000000${digit}`) as [
  string,
  string,
  string,
]
const cleo: TokenSubject = {
  orgId: org,
  principalId: id,
  kind: 'human',
  name: 'Cleo',
  email: 'cleo@example.com',
  isAdmin: false,
}
const bot: TokenSubject = { ...cleo, kind: 'agent', name: 'bot', email: null }
const ofCleo = {
  iss: 'Quorate',
  aud: ['quorate'],
  sub: id,
  iat: seconds,
  exp: seconds + 3600,
  name: 'Cleo',
  email: 'cleo@example.com',
  entityType: 'user',
  orgRole: 'member',
  org,
  principal: id,
}

describe('an access token as it is signed (contract §6.1)', () => {
  const claimsOf = async (...[subject, stepUp]: [TokenSubject, Parameters<typeof signAccessToken>[3]?]) =>
    decodeJwt(await signAccessToken(key, clockAt(start), subject, stepUp))

  it('is an HS256 JWT', async () => {
    const token = await signAccessToken(key, clockAt(start), cleo)
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT' })
  })

  it('holds of a person who they are and what they are here, for an hour', async () => {
    expect(await claimsOf(cleo)).toEqual(ofCleo)
    expect(await claimsOf({ ...cleo, isAdmin: true })).toEqual({ ...ofCleo, orgRole: 'admin' })
  })

  it('holds of an agent its name, and nothing of a person', async () => {
    const { email: _email, orgRole: _role, ...rest } = ofCleo
    expect(await claimsOf(bot)).toEqual({ ...rest, sub: 'bot', name: 'bot', entityType: 'agent' })
  })

  it('names its sign-in and the key it is bound to, where there is one', async () => {
    expect(await claimsOf({ ...cleo, sessionId: session, jkt: 'thumb' })).toEqual({
      ...ofCleo,
      sid: session,
      cnf: { jkt: 'thumb' },
    })
    expect(await claimsOf({ ...cleo, sessionId: null, jkt: null })).toEqual(ofCleo)
  })

  it('for a step-up holds its operation and its resource, for two minutes', async () => {
    const stepUp = { tokenId: 'once', operation: 'vote', resource: 'workflow' }
    const members = { jti: 'once', operation: 'vote', exp: seconds + 120 }
    expect(await claimsOf(cleo, stepUp)).toEqual({ ...ofCleo, ...members, resource: 'workflow' })
    expect(await claimsOf(cleo, { ...stepUp, resource: null })).toEqual({ ...ofCleo, ...members })
  })
})

describe('an access token as it is read', () => {
  type Members = Readonly<Record<string, unknown>>
  const made = async (claims: Members, secret = key, alg = 'HS256') =>
    await sign(secret, { ...ofCleo, ...claims }, { alg, typ: 'JWT' })
  const verify = async (token: string, now = start) => await accessTokenVerifier(key, clockAt(now))(token)
  const said = async (token: string, now = start) =>
    await verify(token, now).then(
      () => 'accepted',
      (error: unknown) => (error instanceof AppError ? error.code : 'a fault'),
    )

  it('says what was signed', async () => {
    const expiresAt = new Date((seconds + 3_600) * 1000)
    const nothing = { sessionId: null, stepUp: null, jkt: null, expiresAt }
    const read = async (...args: [TokenSubject, Parameters<typeof signAccessToken>[3]?]) =>
      await verify(await signAccessToken(key, clockAt(start), ...args))
    expect(await read(cleo)).toEqual({ orgId: org, principalId: id, kind: 'human', ...nothing })
    expect(await read({ ...bot, sessionId: session, jkt: 'thumb' })).toEqual({
      orgId: org,
      principalId: id,
      kind: 'agent',
      sessionId: session,
      stepUp: null,
      jkt: 'thumb',
      expiresAt,
    })
    for (const resource of ['workflow', null]) {
      const stepUp = { tokenId: 'once', operation: 'admin_action', resource }
      expect((await read(cleo, stepUp)).stepUp).toEqual(stepUp)
    }
  })

  it.each<[string, Members, string]>([
    ...['iss', 'aud', 'sub', 'iat', 'exp', 'name', 'entityType', 'org', 'principal'].map(
      (claim): [string, Members, string] => [`no ${claim}`, { [claim]: undefined }, 'INVALID_JWT_TOKEN_FORMAT'],
    ),
    ['an empty name', { name: '' }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a name that is no text', { name: 7 }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['an aud that is no list', { aud: 'quorate' }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['another iss', { iss: 'quorate' }, 'INVALID_ISSUER'],
    ['another aud', { aud: ['Quorate'] }, 'INVALID_AUDIENCE'],
    ['one more aud', { aud: ['other', 'quorate'] }, 'accepted'],
    ['another entityType', { entityType: 'admin' }, 'INVALID_ENTITY_TYPE'],
    ['an org that is no id', { org: 'default' }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['an org that only begins as an id', { org: `${org}0` }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['an org that only ends as an id', { org: `0${org}` }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['an org in capitals', { org: org.toUpperCase() }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a principal that is no id', { principal: 'cleo' }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a sid that is no id', { sid: 'session' }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a sid that is no text', { sid: [session] }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a sid that is null', { sid: null }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a cnf without jkt', { cnf: {} }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a cnf that is null', { cnf: null }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['an empty jkt', { cnf: { jkt: '' } }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a jkt that is no text', { cnf: { jkt: 7 } }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['an unknown operation', { jti: 'j', operation: 'veto' }, 'INVALID_STEP_UP_OPERATION'],
    ['an operation that is no text', { jti: 'j', operation: ['vote'] }, 'INVALID_STEP_UP_OPERATION'],
    ['an operation without jti', { operation: 'vote' }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['an operation with an empty jti', { operation: 'vote', jti: '' }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['an operation with a jti that is no text', { operation: 'vote', jti: 7 }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a resource that is no text', { operation: 'vote', jti: 'j', resource: 7 }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a resource that is null', { operation: 'vote', jti: 'j', resource: null }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['a jti alone', { jti: 'j' }, 'accepted'],
    ['an iat that is no number', { iat: 'now' }, 'INVALID_JWT_TOKEN_FORMAT'],
    ['an exp that has come', { exp: start.getTime() / 1000 }, 'JWT_TOKEN_EXPIRED'],
    ['an exp that has not', { exp: seconds + 0.751 }, 'accepted'],
    ['an nbf that has come', { nbf: start.getTime() / 1000 }, 'accepted'],
    ['an nbf that has not', { nbf: seconds + 0.751 }, 'JWT_TOKEN_EXPIRED_OR_NOT_YET_VALID'],
    ['an iat 60 s ahead', { iat: seconds + 60.75 }, 'accepted'],
    ['an iat further ahead', { iat: seconds + 60.751 }, 'JWT_TOKEN_EXPIRED_OR_NOT_YET_VALID'],
  ])('with %s: %3$s', async (_what, claims, expected) => {
    expect(await said(await made(claims))).toBe(expected)
  })

  it('is judged by the clock at every call, though its signature is remembered', async () => {
    let now = start
    const reading = accessTokenVerifier(key, { now: () => now })
    const token = await made({ exp: seconds + 10 })
    expect(await reading(token)).toBe(await reading(token))
    now = new Date((seconds + 10) * 1000)
    await expect(reading(token)).rejects.toMatchObject({ code: 'JWT_TOKEN_EXPIRED' })
  })

  it('is refused when another key or algorithm signed it', async () => {
    const others = [
      await made({}, new Uint8Array(32)),
      signedText((await newKeyPair()).privateKey, '{"alg":"RS256"}', JSON.stringify(ofCleo)),
      new UnsecuredJWT(ofCleo).encode(),
    ]
    for (const other of others) expect(await said(other)).toBe('JWT_TOKEN_INVALID')
    // Long enough for HS512, which a verifier that believed the header would accept.
    const long = new Uint8Array(64).fill(7)
    const reading = accessTokenVerifier(long, clockAt(start))(await made({}, long, 'HS512'))
    await expect(reading).rejects.toMatchObject({ code: 'JWT_TOKEN_INVALID' })
  })

  it('is refused as none where it is no JWT, and the refusal keeps its cause', async () => {
    for (const text of ['', 'text', 'a.b.c']) expect(await said(text)).toBe('JWT_TOKEN_MALFORMED')
    const body = await new CompactSign(Buffer.from('[]')).setProtectedHeader({ alg: 'HS256' }).sign(key)
    expect(await said(body)).toBe('JWT_TOKEN_MALFORMED')
    for (const text of ['text', body]) await expect(verify(text)).rejects.toHaveProperty('cause', expect.any(Error))
  })
})
