import { createSign, type KeyObject } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { maintain } from '../../src/maintenance.ts'
import {
  goodProof,
  machine,
  newKeyPair,
  pemOf,
  proofHeader,
  saidOf,
  secondsOf,
  sign,
  signedInAgent,
  type Machine,
} from '../helpers/agents.ts'
import { startWorld, type World } from '../helpers/world.ts'

const path = '/auth/agents/refresh'
let world: World
let bot: Machine
let refreshToken: string
beforeAll(async () => {
  world = await startWorld()
  bot = await machine(world, 'bot')
})
beforeEach(async () => void ({ refreshToken } = await signedInAgent(world, bot)))
afterAll(() => world.close())

type Bent = Readonly<Record<string, unknown>>
const proof = async (claims: Bent = {}, header: Bent = {}, key: KeyObject | Uint8Array = bot.privateKey) =>
  await sign(key, { ...goodProof(world, 'POST', path), ...claims }, { ...proofHeader, ...header })
const refresh = (dpop: string) => world.anyone.post(path, { refreshToken }, { dpop })
/** The answer to a proof; a refused one must leave the refresh token as it was. */
const said = async (dpop: string) => {
  const answer = await refresh(dpop)
  if (answer.status !== 200) expect((await refresh(await proof())).status).toBe(200)
  return saidOf(answer)
}
const jwkOf = (key: KeyObject) => key.export({ format: 'jwk' })
const encoded = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')

const ok = [200, undefined]
const invalid = [400, 'DPOP_JWT_INVALID']
const unverified = [400, 'DPOP_JWT_VERIFY_FAILED']
const badSignature = [400, 'DPOP_INVALID_SIGNATURE']

describe('both forms of a proof (contract §6.6, RFC 9449 §4.2)', () => {
  it("the seed's form, without jwk", async () => {
    expect(await said(await proof())).toEqual(ok)
  })

  it('the form of RFC 9449, with the registered key as jwk', async () => {
    expect(await said(await proof({}, { jwk: jwkOf(bot.publicKey) }))).toEqual(ok)
    // RFC 7638 section 3.2: members that are not required do not count.
    expect(await said(await proof({}, { jwk: { ...jwkOf(bot.publicKey), kid: 'k', use: 'sig' } }))).toEqual(ok)
  })
})

describe('RFC 9449 §4.3: the twelve checks of a proof', () => {
  it('RFC 9449 §4.3 check 1: more than one header DPoP', async () => {
    const two = await world.app.inject({
      method: 'POST',
      url: path,
      headers: { dpop: [await proof(), await proof()] },
      payload: { refreshToken },
    })
    expect([two.statusCode, two.json().code]).toEqual(invalid)
    expect(await said(`${await proof()},${await proof()}`)).toEqual(invalid)
  })

  it.each(['x', 'a.b', 'a.b.c', 'a.b.c.d.e', '..', '{}'])(
    'RFC 9449 §4.3 check 2: %j, which is no well-formed JWT',
    async (text) => {
      expect(await said(text)).toEqual(invalid)
    },
  )

  it('RFC 9449 §4.3 check 2: a claim that stands twice (RFC 7519 §4)', async () => {
    const claims = JSON.stringify(goodProof(world, 'POST', path)).slice(1)
    const input = [
      encoded({ alg: 'RS256', ...proofHeader }),
      Buffer.from(`{"htm":"GET",${claims}`).toString('base64url'),
    ]
    const made = createSign('RSA-SHA256').update(input.join('.')).sign(bot.privateKey, 'base64url')
    expect(await said([...input, made].join('.'))).toEqual(invalid)
  })

  it.each([
    ['jti', undefined, 'DPOP_MISSING_JTI_CLAIM'],
    ['jti', 7, 'DPOP_MISSING_JTI_CLAIM'],
    ['jti', '', 'DPOP_MISSING_JTI_CLAIM'],
    ['htm', undefined, 'DPOP_MISSING_HTM_CLAIM'],
    ['htm', ['POST'], 'DPOP_MISSING_HTM_CLAIM'],
    ['htu', undefined, 'DPOP_MISSING_HTU_CLAIM'],
    ['htu', {}, 'DPOP_MISSING_HTU_CLAIM'],
    ['iat', undefined, 'DPOP_MISSING_IAT_CLAIM'],
    ['iat', 'now', 'DPOP_MISSING_IAT_CLAIM'],
  ])('RFC 9449 §4.3 check 3: %s is %j: 400 %s', async (claim, value, code) => {
    expect(await said(await proof({ [claim]: value }))).toEqual([400, code])
  })

  it.each([undefined, 'JWT', 'DPOP+JWT', 'application/dpop+jwt', ''])(
    'RFC 9449 §4.3 check 4: typ is %j',
    async (typ) => {
      expect(await said(await proof({}, { typ }))).toEqual(unverified)
    },
  )

  it('RFC 9449 §4.3 check 5: alg is none, symmetric, or one we do not accept', async () => {
    const [, claims, made] = (await proof()).split('.')
    for (const alg of ['none', 'None', 'HS256', 'RS384', undefined]) {
      expect(await said([encoded({ ...proofHeader, alg }), claims, made].join('.'))).toEqual(unverified)
      expect(await said([encoded({ ...proofHeader, alg }), claims, ''].join('.'))).toEqual(unverified)
    }
    const keyed = await proof({}, { alg: 'HS256' }, Buffer.from(pemOf(bot.publicKey)))
    expect(await said(keyed)).toEqual(unverified)
    expect(await said(await proof({}, { alg: 'PS256' }))).toEqual(unverified)
  })

  it('RFC 9449 §4.3 check 6: not signed by the registered key, whatever jwk says', async () => {
    const { privateKey, publicKey } = await newKeyPair()
    expect(await said(await proof({}, {}, privateKey))).toEqual(badSignature)
    expect(await said(await proof({}, { jwk: jwkOf(publicKey) }, privateKey))).toEqual(badSignature)
    expect(await said(await proof({}, { jwk: jwkOf(bot.publicKey) }, privateKey))).toEqual(badSignature)
    expect(await said(await proof({}, { jwk: jwkOf(publicKey) }))).toEqual(badSignature)
    const [header, claims] = (await proof()).split('.')
    expect(await said(`${header}.${claims}.`)).toEqual(badSignature)
  })

  it.each([
    null,
    7,
    [],
    {},
    { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' },
    { kty: 'RSA', n: 7, e: 'AQAB' },
    { kty: 'RSA', n: '', e: 'AQAB' },
    { kty: 'RSA' },
  ])('RFC 9449 §4.3 check 6: jwk is %j, no RSA public key', async (jwk) => {
    expect(await said(await proof({}, { jwk }))).toEqual(unverified)
  })

  it('RFC 9449 §4.3 check 7: jwk holds a private key', async () => {
    expect(await said(await proof({}, { jwk: jwkOf(bot.privateKey) }))).toEqual(unverified)
    expect(await said(await proof({}, { jwk: { ...jwkOf(bot.publicKey), d: 'AQ' } }))).toEqual(unverified)
  })

  it.each(['GET', 'post', 'POST '])('RFC 9449 §4.3 check 8: htm is %j', async (htm) => {
    expect(await said(await proof({ htm }))).toEqual([400, 'DPOP_INVALID_HTM_CLAIM'])
  })

  it.each([
    ['another path', 'http://localhost/auth/agents/token'],
    ['a longer path', 'http://localhost/auth/agents/refresh/'],
    ['another case of the path', 'http://localhost/auth/agents/Refresh'],
    ['another host', 'http://elsewhere/auth/agents/refresh'],
    ['another port', 'http://localhost:8080/auth/agents/refresh'],
    ['another scheme', 'https://localhost/auth/agents/refresh'],
    ['a scheme that is no web', 'urn:localhost/auth/agents/refresh'],
    ['the host as a user', 'http://localhost@elsewhere/auth/agents/refresh'],
  ])('RFC 9449 §4.3 check 9: htu has %s', async (_what, htu) => {
    expect(await said(await proof({ htu }))).toEqual([400, 'DPOP_INVALID_HTU_CLAIM'])
  })

  it.each(['/auth/agents/refresh', 'localhost', 'http://', ' '])(
    'RFC 9449 §4.3 check 9: htu is %j, no URL: 400 DPOP_HTU_URL_PARSING_FAILED',
    async (htu) => {
      expect(await said(await proof({ htu }))).toEqual([400, 'DPOP_HTU_URL_PARSING_FAILED'])
    },
  )

  it.each([
    'http://localhost/auth/agents/refresh?a=1#b',
    'HTTP://LOCALHOST:80/auth/agents/refresh',
    'http://localhost/auth/x/../agents/refresh',
    'http://localhost/auth/agents/%72efresh',
  ])('RFC 9449 §4.3 check 9: htu %s is this address, after normalization', async (htu) => {
    expect(await said(await proof({ htu }))).toEqual(ok)
  })

  it('RFC 9449 §4.3 check 10: no nonce is asked for, and a nonce that nobody gave changes nothing', async () => {
    const answer = await refresh(await proof({ nonce: 'made up' }))
    expect(saidOf(answer)).toEqual(ok)
    expect(answer.headers['dpop-nonce']).toBeUndefined()
  })

  it('RFC 9449 §4.3 check 11: a proof is accepted for 300 s and 30 s of skew, and no longer', async () => {
    expect(await said(await proof({ iat: secondsOf(world) - 330 }))).toEqual(ok)
    expect(await said(await proof({ iat: secondsOf(world) - 331 }))).toEqual([400, 'DPOP_JWT_EXPIRED'])
  })

  it('RFC 9449 §4.3 check 11: a proof may be 30 s ahead, and no more', async () => {
    expect(await said(await proof({ iat: secondsOf(world) + 30 }))).toEqual(ok)
    expect(await said(await proof({ iat: secondsOf(world) + 31 }))).toEqual(unverified)
  })

  it('RFC 9449 §4.3 check 11: exp and nbf hold where a proof has them', async () => {
    const now = secondsOf(world)
    expect(await said(await proof({ exp: now + 1, nbf: now }))).toEqual(ok)
    expect(await said(await proof({ exp: now - 30 }))).toEqual([400, 'DPOP_JWT_EXPIRED'])
    expect(await said(await proof({ nbf: now + 31 }))).toEqual(unverified)
  })

  it('RFC 9449 §4.3 check 12 is that of a protected resource: see bound-tokens.test.ts', async () => {
    // At a token endpoint ath means nothing.
    expect(await said(await proof({ ath: 'anything' }))).toEqual(ok)
  })

  it('an extension that is marked critical (RFC 7515 §4.1.11)', async () => {
    const header = { alg: 'RS256', ...proofHeader, crit: ['x'], x: 1 }
    const input = `${encoded(header)}.${encoded(goodProof(world, 'POST', path))}`
    const made = createSign('RSA-SHA256').update(input).sign(bot.privateKey, 'base64url')
    expect(await said(`${input}.${made}`)).toEqual(unverified)
  })
})

describe('RFC 9449 §11.1: a proof works once', () => {
  it('401 DPOP_JTI_REUSED: the same proof, and another proof with its jti', async () => {
    const first = await proof({ jti: 'once' })
    expect(await said(first)).toEqual(ok)
    expect(await said(first)).toEqual([401, 'DPOP_JTI_REUSED'])
    expect(await said(await proof({ jti: 'once', iat: secondsOf(world) - 1 }))).toEqual([401, 'DPOP_JTI_REUSED'])
  })

  it('a jti is another one when another agent uses it', async () => {
    const other = await machine(world, 'other')
    const tokens = await signedInAgent(world, other)
    const claims = { ...goodProof(world, 'POST', path), jti: 'shared' }
    expect(await said(await proof({ jti: 'shared' }))).toEqual(ok)
    const dpop = await sign(other.privateKey, claims, proofHeader)
    expect((await world.anyone.post(path, { refreshToken: tokens.refreshToken }, { dpop })).status).toBe(200)
  })

  it('a proof that is refused for something else is not used up', async () => {
    const claims = { jti: 'kept' }
    expect(await said(await proof({ ...claims, htm: 'GET' }))).toEqual([400, 'DPOP_INVALID_HTM_CLAIM'])
    expect(await said(await proof(claims))).toEqual(ok)
  })

  it('a jti is kept for 390 s, longer than any proof is accepted', async () => {
    const later = async (milliseconds: number) => {
      world.clock.advance(milliseconds)
      ;({ refreshToken } = await signedInAgent(world, bot))
    }
    const ahead = await proof({ jti: 'long', iat: secondsOf(world) + 30 })
    expect(await said(ahead)).toEqual(ok)
    await later(360_000)
    expect(await said(ahead)).toEqual([401, 'DPOP_JTI_REUSED'])
    await later(29_999)
    expect(await said(await proof({ jti: 'long' }))).toEqual([401, 'DPOP_JTI_REUSED'])
    await later(1)
    expect(await said(await proof({ jti: 'long' }))).toEqual(ok)
    expect(await said(await proof({ jti: 'long' }))).toEqual([401, 'DPOP_JTI_REUSED'])
  })

  it('keeps the hash of a jti alone, and forgets it once it is too old', async () => {
    await said(await proof({ jti: 'to be forgotten' }))
    const rows = await world.ctx.db.selectFrom('seen_proofs').selectAll().execute()
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain('to be forgotten')
    world.clock.advance(390_001)
    await maintain(world.ctx)
    expect(await world.ctx.db.selectFrom('seen_proofs').selectAll().execute()).toEqual([])
  })
})

describe('the address of a call (contract §7.3)', () => {
  it('is that of the public URL where one is configured, whatever the Host header says', async () => {
    await using behind = await startWorld({ env: { QUORATE_PUBLIC_URL: 'https://approve.example/quorate/' } })
    const agent = await machine(behind, 'bot')
    const { refreshToken: token } = await signedInAgent(behind, agent)
    const call = async (htu: string, host: string) => {
      const dpop = await sign(agent.privateKey, { ...goodProof(behind, 'POST', path), htu }, proofHeader)
      return saidOf(await behind.anyone.post(path, { refreshToken: token }, { dpop, host }))
    }
    const refused = [400, 'DPOP_INVALID_HTU_CLAIM']
    expect(await call('https://evil.example/auth/agents/refresh', 'evil.example')).toEqual(refused)
    expect(await call('http://evil.example/quorate/auth/agents/refresh', 'evil.example')).toEqual(refused)
    expect(await call('https://approve.example/auth/agents/refresh', 'approve.example')).toEqual(refused)
    expect(await call('https://approve.example/quorate/auth/agents/refresh', 'evil.example')).toEqual(ok)
  })

  it('is that of the request where none is configured', async () => {
    const dpop = await proof({ htu: `http://quorate.internal:8080${path}` })
    const answer = await world.anyone.post(path, { refreshToken }, { dpop, host: 'quorate.internal:8080' })
    expect(saidOf(answer)).toEqual(ok)
  })
})

it('the new access token is signed for the agent', async () => {
  const answer = await refresh(await proof())
  expect(decodeJwt(answer.body.accessToken)).toMatchObject({ sub: 'bot', entityType: 'agent' })
})
