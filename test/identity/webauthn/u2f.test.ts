import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { verifyU2f, type U2fAnswer } from '../../../src/identity/webauthn/u2f.ts'
import { Authenticator, userVerified, type Deviation } from '../../helpers/authenticator.ts'
import { cbor } from '../../helpers/cbor.ts'

const appId = 'https://approve.example'
const rp = { id: 'approve.example', alsoIds: [], name: 'Quorate', origins: [appId], appId }
const challenge = randomBytes(32)
const ceremony = { challenge: challenge.toString('base64url'), rpId: appId, origin: appId }

function answer(deviation: Deviation = {}, changed: (made: U2fAnswer) => U2fAnswer = (made) => made) {
  const key = new Authenticator(4)
  const stored = { public_key: cbor(key.coseKey), counter: '4' }
  return verifyU2f(changed(key.signU2f(ceremony, deviation)), { rp, key: stored, challenge })
}

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const data = (change: (bytes: Buffer) => Buffer) => (made: U2fAnswer) => ({
  ...made,
  signatureData: change(Buffer.from(made.signatureData)),
})

describe('a U2F answer', () => {
  it('verifies, and tells what the key has counted to', () => {
    expect(answer()).toEqual({ counter: 5, origin: appId })
  })

  it.each<[string, Parameters<typeof answer>, string]>([
    ['whose client data is no JSON', [{ clientDataJSON: Buffer.from('{') }], 'no JSON object'],
    ['that was a registration', [{ clientData: { typ: 'navigator.id.finishEnrollment' } }], 'another type'],
    ['of FIDO2', [{ clientData: { typ: undefined, type: 'webauthn.get' } }], 'another type'],
    [
      'to another challenge',
      [{ clientData: { challenge: randomBytes(32).toString('base64url') } }],
      'another challenge',
    ],
    ['from another origin', [{ clientData: { origin: 'https://evil.example' } }], 'another origin'],
    ['without a signature', [{}, data((bytes) => bytes.subarray(0, 5))], 'too short'],
    ['of no bytes', [{}, data(() => Buffer.alloc(0))], 'too short'],
    ['that nobody touched the key for', [{ flags: 0 }], 'not present'],
    ['whose presence is another bit', [{ flags: userVerified }], 'not present'],
    ['by another key', [{ signingKey: other.privateKey }], 'signature does not verify'],
    ['for another application', [{ signedFor: 'https://evil.example' }], 'signature does not verify'],
    ['with a signature that is no DER', [{ signature: () => randomBytes(64) }], 'signature does not verify'],
    [
      'with a presence that was not signed',
      [{}, data((bytes) => Buffer.concat([Buffer.of(3), bytes.subarray(1)]))],
      'signature',
    ],
    ['whose counter stands still', [{ counter: 4 }], 'counter'],
    ['whose counter went back', [{ counter: 3 }], 'counter'],
  ])('is refused %s', (_, how, why) => {
    const refusal = { code: 'FACTOR_WRONG', message: expect.stringContaining(why) as string }
    expect(() => answer(...how)).toThrow(expect.objectContaining(refusal) as Error)
  })

  it('is refused where the key never counted, and does not count now', () => {
    const key = new Authenticator(null)
    const stored = { public_key: cbor(key.coseKey), counter: '0' }
    expect(() => verifyU2f(key.signU2f(ceremony), { rp, key: stored, challenge })).toThrow('counter')
  })
})
