import { createSign } from 'node:crypto'
import { CompactEncrypt, type JWTPayload } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  goodAssertion,
  machine,
  newKeyPair,
  nonceFor,
  pemOf,
  proofHeader,
  redeem,
  saidOf,
  secondsOf,
  sign,
  type Machine,
} from '../helpers/agents.ts'
import { startWorld, type World } from '../helpers/world.ts'

let world: World
let bot: Machine
let other: Machine
beforeAll(async () => {
  world = await startWorld()
  bot = await machine(world, 'bot')
  other = await machine(world, 'other')
})
afterAll(() => world.close())

const format = [400, 'AGENT_CHALLENGE_INVALID_JWT_FORMAT']
const missing = [400, 'AGENT_CHALLENGE_MISSING_REQUIRED_CLAIM']
const value = [401, 'AGENT_CHALLENGE_INVALID_CLAIM_VALUE']
const signature = [401, 'AGENT_CHALLENGE_INVALID_JWT_SIGNATURE']
const ok = [200, undefined]

const good = async (): Promise<JWTPayload> => goodAssertion(world, bot, await nonceFor(world, bot))
/** An assertion that is right but for these claims. */
const bent = async (claims: Readonly<Record<string, unknown>>): Promise<string> =>
  await sign(bot.privateKey, { ...(await good()), ...claims })
const said = async (assertion: string) => saidOf(await redeem(world, assertion))
const encoded = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
/** Signs bytes that no library would write. */
const signedText = (header: string, claims: string): string => {
  const input = `${encoded(header)}.${encoded(claims)}`
  return `${input}.${createSign('RSA-SHA256').update(input).sign(bot.privateKey, 'base64url')}`
}

describe('RFC 7523 §3: what an assertion must hold', () => {
  it('RFC 7523 §3: an assertion with every claim in order is accepted, for either name of the audience', async () => {
    for (const aud of ['Approvio', 'quorate']) expect(await said(await bent({ aud }))).toEqual(ok)
  })

  it.each([
    ['RFC 7523 §3 rule 1: without iss', { iss: undefined }, missing],
    ['RFC 7523 §3 rule 1: with an iss that is no text', { iss: 7 }, missing],
    ['RFC 7523 §3 rule 1: with the iss of no agent', { iss: 'nobody' }, [404, 'AGENT_NOT_FOUND']],
    ['RFC 7523 §3 rule 1: with the iss of another agent', { iss: 'other', sub: 'other' }, signature],
    ['RFC 7523 §3 rule 2: without sub', { sub: undefined }, missing],
    ['RFC 7523 §3 rule 2: with a sub that is no text', { sub: {} }, missing],
    ['RFC 7523 §3 rule 2B: with a sub that is not the iss', { sub: 'other' }, value],
    ['RFC 7523 §3 rule 3: without aud', { aud: undefined }, missing],
    ['RFC 7523 §3 rule 3: with a list as aud', { aud: ['Approvio'] }, missing],
    ['RFC 7523 §3 rule 3: with the aud of another server', { aud: 'Elsewhere' }, value],
    ['RFC 7523 §3 rule 3: with an aud of another case', { aud: 'approvio' }, value],
    ['RFC 7523 §3 rule 4: without exp', { exp: undefined }, missing],
    ['RFC 7523 §3 rule 4: with an exp that is no number', { exp: '9999999999' }, missing],
    ['RFC 7523 §3 rule 6: with an iat that is no number', { iat: 'now' }, missing],
    ['RFC 7523 §3 rule 5: with an nbf that is no number', { nbf: 'now' }, missing],
    ['RFC 7523 §3 rule 7: without jti', { jti: undefined }, missing],
    ['RFC 7523 §3 rule 7: with an empty jti', { jti: '' }, missing],
    ['RFC 7523 §3 rule 7: with a jti that is no text', { jti: 7 }, missing],
  ])('%s: refused with %3$s', async (_what, claims, expected) => {
    expect(await said(await bent(claims))).toEqual(expected)
  })

  it('RFC 7523 §3 rule 4: an assertion is expired from the second of exp on', async () => {
    expect(await said(await bent({ exp: secondsOf(world) + 1 }))).toEqual(ok)
    expect(await said(await bent({ exp: secondsOf(world) }))).toEqual([401, 'AGENT_CHALLENGE_JWT_EXPIRED'])
  })

  it('RFC 7523 §3 rule 5: an assertion is not valid before nbf', async () => {
    expect(await said(await bent({ nbf: secondsOf(world) }))).toEqual(ok)
    const early = await bent({ nbf: secondsOf(world) + 1 })
    expect(await said(early)).toEqual([401, 'AGENT_CHALLENGE_JWT_NOT_YET_VALID'])
  })

  it('RFC 7523 §3 rules 6 and 8: iat and claims that are not known here are optional', async () => {
    expect(await said(await bent({ iat: secondsOf(world), scope: 'everything' }))).toEqual(ok)
  })

  it('RFC 7523 §3 rule 7: a jti is redeemed once', async () => {
    const assertion = await bent({})
    expect(await said(assertion)).toEqual(ok)
    expect(await said(assertion)).toEqual([409, 'AGENT_CHALLENGE_CHALLENGE_ALREADY_USED'])
  })

  it('RFC 7523 §3 rule 9: not signed by the registered key', async () => {
    const { privateKey } = await newKeyPair()
    expect(await said(await sign(privateKey, await good()))).toEqual(signature)
    expect(await said(await sign(other.privateKey, await good()))).toEqual(signature)
  })

  it('RFC 7523 §3 rule 9: changed after it was signed', async () => {
    const [header, , made] = (await bent({})).split('.')
    const swapped = `${header}.${encoded(await good())}.${made}`
    expect(await said(swapped)).toEqual(signature)
  })

  it('RFC 7523 §3 rule 9: the signature is judged before the claims', async () => {
    const { privateKey } = await newKeyPair()
    expect(await said(await sign(privateKey, { iss: 'bot', exp: 0, aud: 'Elsewhere' }))).toEqual(signature)
  })

  it.each(['x', 'a.b', 'a.b.c', '..', 'a.b.c.d', ' . . ', '{}', 'é.é.é'])(
    'RFC 7523 §3 rule 10: 400 for %j, which is no JWT',
    async (text) => {
      expect(await said(text)).toEqual(format)
    },
  )
})

describe('RFC 8725: an assertion cannot be forged by its form', () => {
  it('RFC 8725 §3.1: alg none, in any spelling, with and without a signature', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
      const claims = await good()
      expect(await said(`${encoded({ alg })}.${encoded(claims)}.`)).toEqual(signature)
      const [, , made] = (await bent({})).split('.')
      expect(await said(`${encoded({ alg })}.${encoded(claims)}.${made}`)).toEqual(signature)
    }
  })

  it('RFC 8725 §3.1: HS256 keyed with the public key, as PEM and as DER', async () => {
    const der = bot.publicKey.export({ type: 'spki', format: 'der' })
    for (const secret of [Buffer.from(pemOf(bot.publicKey)), Buffer.from(pemOf(bot.publicKey).trim()), der]) {
      expect(await said(await sign(secret, await good(), { alg: 'HS256' }))).toEqual(signature)
    }
  })

  it('RFC 8725 §3.1: another RSA algorithm, though the key could', async () => {
    for (const alg of ['RS384', 'RS512', 'PS256']) {
      expect(await said(await sign(bot.privateKey, await good(), { alg }))).toEqual(signature)
    }
  })

  it('RFC 8725 §3.1: a header that says RS256 over a signature of another algorithm', async () => {
    const made = (await sign(bot.privateKey, await good(), { alg: 'RS512' })).split('.')
    expect(await said([encoded({ alg: 'RS256' }), made[1], made[2]].join('.'))).toEqual(signature)
  })

  it('RFC 8725 §3.1: a header without alg, with an alg that is no text', async () => {
    for (const header of ['{}', '{"alg":7}', '{"alg":null}', '{"alg":["RS256"]}']) {
      expect(await said(signedText(header, JSON.stringify(await good())))).toEqual(signature)
    }
  })

  it('RFC 8725 §3.10: keys that the header brings or points to are not looked at', async () => {
    const { privateKey, publicKey } = await newKeyPair()
    const jwk = publicKey.export({ format: 'jwk' })
    expect(await said(await sign(privateKey, await good(), { jwk }))).toEqual(signature)
    const header = { kid: 'other', jku: 'http://127.0.0.1:1/jwks', x5u: 'http://127.0.0.1:1/x' }
    expect(await said(await sign(privateKey, await good(), header))).toEqual(signature)
  })

  it('RFC 8725 §3.6: an encrypted JWT, also compressed', async () => {
    const header = { alg: 'RSA-OAEP-256', enc: 'A256GCM' }
    const plain = new CompactEncrypt(Buffer.from(JSON.stringify(await good()))).setProtectedHeader(header)
    const [, ...rest] = (await plain.encrypt(bot.publicKey)).split('.')
    for (const head of [header, { ...header, zip: 'DEF' }]) {
      expect(await said([encoded(head), ...rest].join('.'))).toEqual(format)
    }
  })

  it('RFC 7519 §4: a claim or a header member that stands twice, also written differently', async () => {
    const claims = JSON.stringify(await good()).slice(1)
    for (const text of [`{"iss":"other",${claims}`, `{"\\u0069ss":"other",${claims}`, `{"x":{"a":1},"x":2,${claims}`]) {
      expect(await said(signedText('{"alg":"RS256"}', text))).toEqual(format)
    }
    expect(await said(signedText('{"alg":"none","alg":"RS256"}', `{${claims}`))).toEqual(format)
    // The same name in another object is another member.
    expect(await said(signedText('{"alg":"RS256"}', `{"x":{"iss":1,"y":[{"iss":2}]},${claims}`))).toEqual(ok)
  })

  it('RFC 8725 §3.7: a claim in bytes that are not UTF-8, though it is signed', async () => {
    const bytes = Buffer.concat([
      Buffer.from(JSON.stringify(await good()).replace(/}$/, ',"x":"')),
      Buffer.of(0xff),
      Buffer.from('"}'),
    ])
    const input = `${encoded({ alg: 'RS256' })}.${bytes.toString('base64url')}`
    const made = createSign('RSA-SHA256').update(input).sign(bot.privateKey, 'base64url')
    expect(await said(`${input}.${made}`)).toEqual(format)
  })

  it('RFC 8725 §3.7: bytes that are not UTF-8, JSON that is no object', async () => {
    const header = encoded({ alg: 'RS256' })
    for (const bytes of [Buffer.of(0x7b, 0xff, 0x7d), Buffer.from('[]'), Buffer.from('null'), Buffer.from('7')]) {
      expect(await said(`${header}.${bytes.toString('base64url')}.c2ln`)).toEqual(format)
    }
  })

  it('RFC 8725 §3.11: a JWT of another type, such as a proof signed by the same key', async () => {
    for (const typ of ['dpop+jwt', 'at+jwt', 'secevent+jwt', '']) {
      expect(await said(await sign(bot.privateKey, await good(), { typ }))).toEqual(format)
    }
    expect(await said(signedText('{"alg":"RS256","typ":7}', JSON.stringify(await good())))).toEqual(format)
    expect(await said(await sign(bot.privateKey, await good(), proofHeader))).toEqual(format)
    for (const typ of ['JWT', 'jwt', 'application/jwt']) {
      expect(await said(await sign(bot.privateKey, await good(), { typ }))).toEqual(ok)
    }
  })

  it('RFC 8725 §3.12: an access token of ours is no assertion', async () => {
    const person = await world.person('Ben')
    expect((await redeem(world, person.token)).status).toBe(404)
  })

  it('RFC 7515 §4.1.11: an extension that is marked critical', async () => {
    const claims = JSON.stringify(await good())
    for (const header of ['{"alg":"RS256","crit":["b64"],"b64":true}', '{"alg":"RS256","crit":["x"],"x":1}']) {
      expect(await said(signedText(header, claims))).toEqual(signature)
    }
  })

  it('RFC 8725 §3.4: one of more than 32 KiB is not read', async () => {
    expect(await said(await bent({ more: 'x'.repeat(32 * 1024) }))).toEqual(format)
    expect(await said(await bent({ more: 'x'.repeat(16 * 1024) }))).toEqual(ok)
  })

  it('RFC 7519 §2: times that are past any number', async () => {
    const text = JSON.stringify({ ...(await good()), exp: 0 }).replace('"exp":0', '"exp":1e400')
    expect(await said(signedText('{"alg":"RS256"}', text))).toEqual(missing)
  })
})
