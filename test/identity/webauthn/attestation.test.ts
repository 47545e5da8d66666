import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { verifyAttestation, type Attestation } from '../../../src/identity/webauthn/attestation.ts'
import { Authenticator, userPresent, type Registration } from '../../helpers/authenticator.ts'
import { cbor, type Cbor } from '../../helpers/cbor.ts'

const rp = {
  id: 'approve.example',
  alsoIds: [],
  name: 'Quorate',
  origins: ['https://approve.example'],
  appId: 'https://approve.example',
}
const challenge = randomBytes(32)
const ceremony = { challenge: challenge.toString('base64url'), rpId: rp.id, origin: 'https://approve.example' }

async function register(registration: Registration = {}, changed: Partial<Attestation> = {}) {
  const key = new Authenticator(7)
  const made = key.register(ceremony, registration)
  return { key, kept: await verifyAttestation({ ...made, ...changed }, { rp, challenge }) }
}

async function refusal(...how: Parameters<typeof register>): Promise<string> {
  return await register(...how).then(
    () => 'registered',
    (error: { code: string; message: string; cause?: Error }) =>
      `${error.code}: ${error.message} ${error.cause?.message ?? ''}`,
  )
}

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = new Authenticator()
const cose = (...changes: readonly (readonly [number, Cbor])[]) => new Map<number, Cbor>([...key.coseKey, ...changes])

describe('a security key is registered', () => {
  it.each(['none', 'packed', 'fido-u2f'] as const)('with attestation %s', async (format) => {
    const made = await register({ format })
    expect(made.kept).toMatchObject({ format, counter: 8, origin: ceremony.origin, transports: ['usb'] })
    expect(Buffer.from(made.kept.credentialId)).toEqual(made.key.credentialId)
    expect(Buffer.from(made.kept.publicKey)).toEqual(cbor(made.key.coseKey))
  })

  it('with the transports that there are', async () => {
    const { kept } = await register({}, { transports: ['usb', '<script>', 'nfc'] })
    expect(kept.transports).toEqual(['usb', 'nfc'])
  })
})

describe('a security key is not registered', () => {
  it.each<[string, Parameters<typeof register>, string]>([
    ['of another type', [{}, { type: 'password' }], 'another type'],
    ['by client data that is no JSON', [{ clientDataJSON: Buffer.from('{') }], 'no JSON object'],
    ['by an assertion', [{ clientData: { type: 'webauthn.get' } }], 'response type'],
    ['to another challenge', [{ clientData: { challenge: 'AAAA' } }], 'challenge'],
    ['from another origin', [{ clientData: { origin: 'https://evil.example' } }], 'origin'],
    ['from a frame of another origin', [{ clientData: { crossOrigin: true } }], 'frame'],
    ['for another id', [{ signedFor: 'evil.example' }], 'RP ID hash'],
    ['that nobody touched', [{ flags: 0x40 }], 'not present'],
    ['without a key', [{ flags: userPresent }], 'No credential ID'],
    ['with bytes after its key', [{ authenticatorData: (data) => Buffer.concat([data, Buffer.of(0)]) }], 'Leftover'],
    ['under another id than that of its key', [{}, { credentialId: randomBytes(32) }], 'another credential'],
    ['by an attestation object that is no CBOR', [{}, { attestationObject: Buffer.from('nothing') }], 'cannot be read'],
    ['of another algorithm', [{ coseKey: cose([3, -257]) }], 'Unexpected public key alg "-257"'],
    ['on another curve', [{ coseKey: cose([-1, 2]) }], 'must be on P-256'],
    ['of another kind', [{ coseKey: cose([1, 3]) }], 'must be on P-256'],
    ['that is written otherwise than it may be', [{ coseKey: cose([4, 1]) }], 'in its one form'],
    ['that is no point of the curve', [{ coseKey: cose([-2, randomBytes(32)]) }], 'must be on P-256'],
    ['with an attestation of another format', [{ formatName: 'tpm' }], 'must be one of none, fido-u2f, packed'],
    ['with a statement where there is none', [{ statement: new Map([['sig', 'x']]) }], 'attestation statement'],
    ['with packed attestation by another key', [{ format: 'packed', signingKey: other.privateKey }], 'does not verify'],
    [
      'with packed attestation by a certificate',
      [
        {
          format: 'packed',
          statement: new Map<string, Cbor>([
            ['alg', -7],
            ['sig', randomBytes(70)],
            ['x5c', [randomBytes(9)]],
          ]),
        },
      ],
      'signed by the key itself',
    ],
    ['with U2F attestation by another key', [{ format: 'fido-u2f', signingKey: other.privateKey }], 'does not verify'],
  ])('%s', async (_, how, why) => {
    const said = await refusal(...how)
    expect(said).toMatch(/^SECURITY_KEY_REFUSED: /)
    expect(said).toContain(why)
  })
})
