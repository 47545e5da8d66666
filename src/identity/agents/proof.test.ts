import type { KeyObject } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { newKeyPair, pemOf, proofHeader, sign, signedText } from '../../../test/helpers/signing.ts'
import { AppError } from '../../errors.ts'
import { agentKeyOf, type AgentKey } from './agent-key.ts'
import { verifyProof } from './proof.ts'

const now = new Date('2026-11-21T12:00:00.000Z')
const seconds = now.getTime() / 1000
const call = { method: 'POST', url: 'https://quorate.example/auth' }
const good = { jti: 'one', htm: 'POST', htu: call.url, iat: seconds }
type Members = Readonly<Record<string, unknown>>

let privateKey: KeyObject
let key: AgentKey
let jwk: Members
beforeAll(async () => {
  const pair = await newKeyPair()
  privateKey = pair.privateKey
  key = (await agentKeyOf(pemOf(pair.publicKey))) as AgentKey
  jwk = { ...pair.publicKey.export({ format: 'jwk' }) }
})

/** What is said of a text: its jti, or code and reason of the refusal. */
const said = async (text: string): Promise<string> =>
  await verifyProof(text, key, call, now).then(
    ({ jti }) => jti,
    (error: unknown) => {
      if (!(error instanceof AppError)) throw error
      return error.code === 'DPOP_JWT_VERIFY_FAILED' ? error.message : error.code
    },
  )
const made = async (claims: Members, header: Members = {}) =>
  await sign(privateKey, { ...good, ...claims }, { ...proofHeader, ...header })
const header = (members: Members = {}) => JSON.stringify({ alg: 'RS256', ...proofHeader, ...members })
const refusal = (problem: string) => `The proof is not accepted: ${problem}.`
const future = (claim: string) => refusal(`${claim} is in the future`)

describe('a proof (RFC 9449 §4.3)', () => {
  it('gives its jti and its claims', async () => {
    const claims = { ...good, ath: 'hash' }
    expect(await verifyProof(await made(claims), key, call, now)).toEqual({ jti: 'one', claims })
  })

  it('may have blanks around it, as a header may', async () => {
    expect(await said(` ${await made({})}\t`)).toBe('one')
  })

  it('is one JWT', async () => {
    expect(await said('no proof')).toBe('DPOP_JWT_INVALID')
  })

  it.each<[string, Members, string]>([
    ['no jti', { jti: undefined }, 'DPOP_MISSING_JTI_CLAIM'],
    ['a jti that is a number', { jti: 7 }, 'DPOP_MISSING_JTI_CLAIM'],
    ['an empty jti', { jti: '' }, 'DPOP_MISSING_JTI_CLAIM'],
    ['no htm', { htm: undefined }, 'DPOP_MISSING_HTM_CLAIM'],
    ['no htu', { htu: undefined }, 'DPOP_MISSING_HTU_CLAIM'],
    ['no iat', { iat: undefined }, 'DPOP_MISSING_IAT_CLAIM'],
    ['an iat that is a text', { iat: String(seconds) }, 'DPOP_MISSING_IAT_CLAIM'],
    ['another method', { htm: 'GET' }, 'DPOP_INVALID_HTM_CLAIM'],
    ['another address', { htu: 'https://quorate.example/' }, 'DPOP_INVALID_HTU_CLAIM'],
    ['an age of 330 s', { iat: seconds - 330 }, 'one'],
    ['an age of more', { iat: seconds - 330.001 }, 'DPOP_JWT_EXPIRED'],
    ['an iat 30 s ahead', { iat: seconds + 30 }, 'one'],
    ['an iat further ahead', { iat: seconds + 30.001 }, future('iat')],
    ['an exp less than 30 s ago', { exp: seconds - 29.999 }, 'one'],
    ['an exp 30 s ago', { exp: seconds - 30 }, 'DPOP_JWT_EXPIRED'],
    ['an exp that is a text', { exp: String(seconds + 60) }, 'DPOP_JWT_EXPIRED'],
    ['an nbf 30 s ahead', { nbf: seconds + 30 }, 'one'],
    ['an nbf further ahead', { nbf: seconds + 30.001 }, future('nbf')],
    ['an nbf that is a text', { nbf: String(seconds) }, future('nbf')],
  ])('with %s: %3$s', async (_what, claims, expected) => {
    expect(await said(await made(claims))).toBe(expected)
  })

  it('with an iat that is past any number: DPOP_MISSING_IAT_CLAIM', async () => {
    const text = JSON.stringify({ ...good, iat: 0 }).replace('"iat":0', '"iat":-1e400')
    expect(await said(signedText(privateKey, header(), text))).toBe('DPOP_MISSING_IAT_CLAIM')
  })

  it.each<[string, Members, string]>([
    ['another typ', { typ: 'JWT' }, refusal('typ must be dpop+jwt')],
    ['another alg', { alg: 'PS256' }, refusal('alg must be RS256')],
    ['a jwk that is null', { jwk: null }, refusal('jwk must be an RSA public key')],
    [
      'the jwk of an EC key',
      { jwk: { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' } },
      refusal('jwk must be an RSA public key'),
    ],
    ['a jwk with an empty n', { jwk: { kty: 'RSA', n: '', e: 'AQAB' } }, refusal('jwk must be an RSA public key')],
    ['a jwk with an empty e', { jwk: { kty: 'RSA', n: 'AQ', e: '' } }, refusal('jwk must be an RSA public key')],
    ['a jwk without n', { jwk: { kty: 'RSA', e: 'AQAB' } }, refusal('jwk must be an RSA public key')],
    ['a jwk without e', { jwk: { kty: 'RSA', n: 'AQ' } }, refusal('jwk must be an RSA public key')],
    ['a jwk of another kty', { jwk: { kty: 'oct', n: 'AQ', e: 'AQAB' } }, refusal('jwk must be an RSA public key')],
    ['another RSA key as jwk', { jwk: { kty: 'RSA', n: 'AQ', e: 'AQAB' } }, 'DPOP_INVALID_SIGNATURE'],
  ])('with %s: %3$s', async (_what, header, expected) => {
    expect(await said(await made({}, header))).toBe(expected)
  })

  it('with its own key as jwk is accepted', async () => {
    expect(await said(await made({}, { jwk }))).toBe('one')
  })

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])(
    'shows nothing of a private key, such as %s',
    async (member) => {
      expect(await said(await made({}, { jwk: { ...jwk, [member]: 'AQ' } }))).toBe(refusal('jwk holds a private key'))
    },
  )

  it('names no extension that has to be understood', async () => {
    const text = signedText(privateKey, header({ crit: ['x'], x: 1 }), JSON.stringify(good))
    expect(await said(text)).toBe(refusal('crit names an extension that is not known here'))
  })

  it('is signed by the registered key', async () => {
    const other = await newKeyPair()
    expect(await said(await sign(other.privateKey, good, proofHeader))).toBe('DPOP_INVALID_SIGNATURE')
  })
})
