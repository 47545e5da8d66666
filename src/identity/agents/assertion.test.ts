import type { KeyObject } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { newKeyPair, pemOf, sign, signedText } from '../../../test/helpers/signing.ts'
import { AppError } from '../../errors.ts'
import { agentKeyOf, type AgentKey } from './agent-key.ts'
import { readAssertion, verifyAssertion } from './assertion.ts'

const now = new Date('2026-11-21T12:00:00.000Z')
const seconds = now.getTime() / 1000
const good = { iss: 'bot', sub: 'bot', aud: 'Approvio', exp: seconds + 60, jti: 'nonce' }
type Members = Readonly<Record<string, unknown>>

let privateKey: KeyObject
let key: AgentKey
beforeAll(async () => {
  const pair = await newKeyPair()
  privateKey = pair.privateKey
  key = (await agentKeyOf(pemOf(pair.publicKey))) as AgentKey
})

/** What is said of a text: the nonce it names, or the refusal, with the sentence where it names a claim. */
const said = async (text: string): Promise<string> => {
  try {
    return await verifyAssertion(readAssertion(text), key, now)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return error.code.endsWith('_REQUIRED_CLAIM') || error.code.endsWith('_CLAIM_VALUE') ? error.message : error.code
  }
}
const made = async (claims: Members, header: Members = {}) => await sign(privateKey, { ...good, ...claims }, header)
const missing = (claim: string) => `The assertion needs a claim ${claim} of the right type.`
const refused = (claim: string) => `The assertion's claim ${claim} is not accepted.`

describe('an assertion (RFC 7523 §3)', () => {
  it.each<[string, Members, string]>([
    ['everything in order', {}, 'nonce'],
    ['our own name as aud', { aud: 'quorate' }, 'nonce'],
    ['another aud', { aud: 'Quorate' }, refused('aud')],
    ['no aud', { aud: undefined }, missing('aud')],
    ['no iss', { iss: undefined }, missing('iss')],
    ['no sub', { sub: undefined }, missing('sub')],
    ['a sub that is not the iss', { sub: 'other' }, refused('sub')],
    ['no jti', { jti: undefined }, missing('jti')],
    ['an empty jti', { jti: '' }, missing('jti')],
    ['no exp', { exp: undefined }, missing('exp')],
    ['an exp that is a text', { exp: String(seconds + 60) }, missing('exp')],
    ['an exp that is now', { exp: seconds }, 'AGENT_CHALLENGE_JWT_EXPIRED'],
    ['an exp just ahead', { exp: seconds + 0.001 }, 'nonce'],
    ['an nbf that is now', { nbf: seconds }, 'nonce'],
    ['an nbf ahead', { nbf: seconds + 0.001 }, 'AGENT_CHALLENGE_JWT_NOT_YET_VALID'],
    ['an nbf that is a text', { nbf: 'now' }, missing('nbf')],
    ['an iat that is a text', { iat: 'now' }, missing('iat')],
    ['any iat', { iat: seconds + 3600 }, 'nonce'],
  ])('with %s: %3$s', async (_what, claims, expected) => {
    expect(await said(await made(claims))).toBe(expected)
  })

  it('with a time that is past any number is refused', async () => {
    const text = JSON.stringify({ ...good, exp: 0 }).replace('"exp":0', '"exp":1e400')
    expect(await said(signedText(privateKey, '{"alg":"RS256"}', text))).toBe(missing('exp'))
  })

  it('is signed by the registered key, which is asked before its claims', async () => {
    const other = await newKeyPair()
    const text = await sign(other.privateKey, { iss: 'bot' })
    expect(await said(text)).toBe('AGENT_CHALLENGE_INVALID_JWT_SIGNATURE')
  })

  it.each([
    ['JWT', 'nonce'],
    ['jwt', 'nonce'],
    ['application/jwt', 'nonce'],
    ['application/JWT', 'nonce'],
    ['dpop+jwt', 'AGENT_CHALLENGE_INVALID_JWT_FORMAT'],
    ['jwt+x', 'AGENT_CHALLENGE_INVALID_JWT_FORMAT'],
    ['x/application/jwt', 'AGENT_CHALLENGE_INVALID_JWT_FORMAT'],
    ['', 'AGENT_CHALLENGE_INVALID_JWT_FORMAT'],
  ])('of the type %j (RFC 8725 §3.11): %s', async (typ, expected) => {
    expect(await said(await made({}, { typ }))).toBe(expected)
  })

  it('of a type that is no text is refused', async () => {
    const text = signedText(privateKey, '{"alg":"RS256","typ":["jwt"]}', JSON.stringify(good))
    expect(await said(text)).toBe('AGENT_CHALLENGE_INVALID_JWT_FORMAT')
  })

  it('is a JWT', async () => {
    expect(await said('no assertion')).toBe('AGENT_CHALLENGE_INVALID_JWT_FORMAT')
  })
})
