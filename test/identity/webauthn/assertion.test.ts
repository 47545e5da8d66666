import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { verifyAssertion, type Assertion, type ExpectedAssertion } from '../../../src/identity/webauthn/assertion.ts'
import { userHandleOf } from '../../../src/identity/webauthn/keys.ts'
import { Authenticator, userPresent, userVerified, type Deviation } from '../../helpers/authenticator.ts'
import { cbor } from '../../helpers/cbor.ts'

const personId = '0198f0c0-1111-7222-8333-444455556666'
const rp = {
  id: 'approve.example',
  alsoIds: [],
  name: 'Quorate',
  origins: ['https://approve.example', 'https://ui.approve.example:8443'],
  appId: 'https://approve.example/app-id.json',
}
const challenge = randomBytes(32)
const ceremony = { challenge: challenge.toString('base64url'), rpId: rp.id, origin: 'https://approve.example' }

/** Verifies what the key answers, changed as told. */
async function answer(
  deviation: Deviation = {},
  changed: Partial<Assertion> = {},
  expected: Partial<ExpectedAssertion> & { readonly counter?: string; readonly format?: string } = {},
) {
  const key = new Authenticator(4)
  const { counter = '4', format = 'none', ...rest } = expected
  return await verifyAssertion(
    { ...key.assert(ceremony, deviation), ...changed },
    {
      rp,
      personId,
      challenge,
      userVerification: 'preferred',
      key: {
        credential_id: key.credentialId,
        public_key: cbor(key.coseKey),
        counter,
        details: { format, transports: [], origin: ceremony.origin },
      },
      ...rest,
    },
  )
}

/** Why it was refused, down to what the library said. */
async function refusal(...how: Parameters<typeof answer>): Promise<string> {
  return await answer(...how).then(
    () => 'verified',
    (error: { code: string; message: string; cause?: Error }) =>
      `${error.code}: ${error.message} ${error.cause?.message ?? ''}`,
  )
}

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const flipped = (at: number) => (bytes: Buffer) => {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
  return copy
}

describe('an assertion verifies', () => {
  it('with the counter, the id and the origin that it was made for', async () => {
    expect(await answer()).toEqual({ counter: 5, signedFor: rp.id, origin: ceremony.origin })
  })

  it('from any of the configured origins', async () => {
    expect(await answer({ clientData: { origin: rp.origins[1] } })).toMatchObject({ origin: rp.origins[1] })
  })

  it('with the handle of the person, or without one', async () => {
    expect(await answer({}, { userHandle: userHandleOf(personId) })).toMatchObject({ counter: 5 })
  })

  it('where neither side counts', async () => {
    expect(await answer({ counter: 0 }, {}, { counter: '0' })).toMatchObject({ counter: 0 })
  })

  it('for the application id, by a key of U2F that was asked by it', async () => {
    const forAppId = { signedFor: rp.appId }
    expect(await answer(forAppId, { usesAppId: true }, { format: 'fido-u2f' })).toMatchObject(forAppId)
  })

  it('for the id too by a key that was asked by the application id', async () => {
    expect(await answer({}, { usesAppId: true }, { format: 'fido-u2f' })).toMatchObject({ signedFor: rp.id })
  })

  it('with a verified user where that is required', async () => {
    const flags = userPresent | userVerified
    expect(await answer({ flags }, {}, { userVerification: 'required' })).toMatchObject({ counter: 5 })
  })
})

describe('an assertion is refused', () => {
  it('for an application id that no browser is offered, since it is not https', async () => {
    const here = { ...rp, appId: 'http://localhost:8080' }
    const asked = [{ signedFor: here.appId }, { usesAppId: true }, { format: 'fido-u2f', rp: here }] as const
    expect(await refusal(...asked)).toContain('Unexpected RP ID hash')
  })

  it.each<[string, Parameters<typeof answer>, string]>([
    ['of another type', [{}, { type: 'password' }], 'of another type'],
    ['that names another person', [{}, { userHandle: userHandleOf(personId.replace('0', '1')) }], 'another person'],
    ['whose handle is none of a person', [{}, { userHandle: Buffer.from('ada') }], 'another person'],
    ['whose client data is no JSON', [{ clientDataJSON: Buffer.from('{') }], 'no JSON object'],
    ['whose client data is no object', [{ clientDataJSON: Buffer.from('null') }], 'no JSON object'],
    [
      'whose client data names a member twice',
      [{ clientDataJSON: Buffer.from('{"a":1,"\\u0061":1}') }],
      'no JSON object',
    ],
    [
      'whose client data begins with a byte order mark',
      [{ clientDataJSON: Buffer.from('\ufeff{}') }],
      'no JSON object',
    ],
    ['whose client data is not UTF-8', [{ clientDataJSON: Buffer.from([0x7b, 0xff, 0x7d]) }], 'no JSON object'],
    ['that was a registration', [{ clientData: { type: 'webauthn.create' } }], 'response type'],
    ['to another challenge', [{ clientData: { challenge: randomBytes(32).toString('base64url') } }], 'challenge'],
    ['to no challenge', [{ clientData: { challenge: undefined } }], 'challenge'],
    ['from another origin', [{ clientData: { origin: 'https://evil.example' } }], 'origin'],
    ['from an origin that begins alike', [{ clientData: { origin: `${ceremony.origin}.evil.example` } }], 'origin'],
    ['from another port', [{ clientData: { origin: `${ceremony.origin}:8443` } }], 'origin'],
    ['from a frame of another origin', [{ clientData: { crossOrigin: true } }], 'frame'],
    ['from a frame, however it says so', [{ clientData: { crossOrigin: 'yes' } }], 'frame'],
    ['below a page of another origin', [{ clientData: { topOrigin: 'https://evil.example' } }], 'frame'],
    ['with 36 bytes of data', [{ authenticatorData: (data) => data.subarray(0, 36) }], 'expected at least 37 bytes'],
    ['with bytes after its data', [{ authenticatorData: (data) => Buffer.concat([data, Buffer.of(0)]) }], 'Leftover'],
    ['for another id', [{ signedFor: 'evil.example' }], 'Unexpected RP ID hash'],
    [
      'for the application id, if it was not asked by it',
      [{ signedFor: rp.appId }, {}, { format: 'fido-u2f' }],
      'RP ID hash',
    ],
    ['for the application id, if it was not offered', [{ signedFor: rp.appId }, { usesAppId: true }], 'RP ID hash'],
    ['that nobody touched the key for', [{ flags: 0 }], 'not present'],
    ['with a user verified and not present', [{ flags: userVerified }], 'not present'],
    [
      'without a verified user where that is required',
      [{}, {}, { userVerification: 'required' }],
      'verification required',
    ],
    ['by another key', [{ signingKey: other.privateKey }], 'signature does not verify'],
    ['with a signature that is no DER', [{ signature: () => randomBytes(64) }], 'does not verify'],
    ['without a signature', [{ signature: () => Buffer.alloc(0) }], 'does not verify'],
    ['whose counter stands still', [{ counter: 4 }], 'counter value 4'],
    ['whose counter went back', [{ counter: 3 }], 'counter value 3'],
    ['whose counter went back to nothing', [{ counter: 0 }], 'counter value 0'],
  ])('%s', async (_, how, why) => {
    const said = await refusal(...how)
    expect(said).toMatch(/^FACTOR_WRONG: /)
    expect(said).toContain(why)
  })

  it.each<[string, (assertion: Assertion) => Partial<Assertion>]>([
    ['data', (made) => ({ authenticatorData: flipped(32)(made.authenticatorData) })],
    ['counter', (made) => ({ authenticatorData: flipped(34)(made.authenticatorData) })],
    ['client data', (made) => ({ clientDataJSON: Buffer.concat([made.clientDataJSON, Buffer.from(' ')]) })],
    ['signature', (made) => ({ signature: flipped(20)(made.signature) })],
  ])('whose %s was changed after it was signed', async (_, change) => {
    const key = new Authenticator(4)
    const made = key.assert(ceremony, { flags: userPresent | userVerified })
    const stored = { credential_id: key.credentialId, public_key: cbor(key.coseKey), counter: '4' }
    const expected = { rp, personId, challenge, userVerification: 'preferred' } as const
    const details = { format: 'none', transports: [], origin: '' }
    const verify = (assertion: Assertion) => verifyAssertion(assertion, { ...expected, key: { ...stored, details } })
    await expect(verify(made)).resolves.toMatchObject({ counter: 5 })
    await expect(verify({ ...made, ...change(made) })).rejects.toMatchObject({ code: 'FACTOR_WRONG' })
  })
})
