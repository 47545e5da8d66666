import { describe, expect, it } from 'vitest'
import {
  parseAssertion,
  parseAttestation,
  parseVoteFactors,
  renderCreationOptions,
  renderU2fRequest,
} from '../../../src/dialects/fortanix/wire/factors.ts'
import { creationOptions } from '../../../src/identity/webauthn/options.ts'

const bytes = Buffer.from([0xfb, 0xef, 0xff, 0x01])
const forms = [
  bytes.toString('base64'),
  bytes.toString('base64url'),
  bytes.toString('base64').replace(/=+$/, ''),
  '--__AQ==',
]
const assertion = (text: string) => ({
  id: text,
  type: 'public-key',
  response: { clientDataJSON: text, authenticatorData: text, signature: text },
})

describe('what proves an approval', () => {
  it.each([[undefined], [null], [{}], [{ password: null, u2f: null, fido2_auth_request: null, body: null }]])(
    'may be missing: %j',
    (body) => {
      expect(parseVoteFactors(body)).toEqual({})
    },
  )

  it.each(forms)('is read in either alphabet of base64, padded or not: %s', (text) => {
    const body = {
      fido2_auth_request: assertion(text),
      u2f: { keyHandle: text, signatureData: text, clientData: text },
    }
    expect(parseVoteFactors({ password: 'p', ...body })).toEqual({
      password: 'p',
      u2f: { keyHandle: bytes, signatureData: bytes, clientData: bytes },
      fido2: {
        credentialId: bytes,
        type: 'public-key',
        clientDataJSON: bytes,
        authenticatorData: bytes,
        signature: bytes,
        userHandle: null,
        usesAppId: false,
      },
    })
  })

  it('has the application id only where the browser says so', () => {
    const asked = (appid: unknown) =>
      parseAssertion({ ...assertion('AA'), get_client_extension_results: { appid } }, 'a').usesAppId
    expect([true, false, null, 'true', 1].map(asked)).toEqual([true, false, false, false, false])
  })

  it('has no handle where it is empty', () => {
    const { response, ...rest } = assertion('AA')
    const handle = (userHandle: unknown) =>
      parseAssertion({ ...rest, response: { ...response, userHandle } }, 'a').userHandle
    expect([handle(''), handle(null), handle('AQ')]).toEqual([null, null, Buffer.of(1)])
  })

  it.each<[unknown, string]>([
    [[], ''],
    ['text', ''],
    [{ password: 1 }, 'password'],
    [{ u2f: 'x' }, 'u2f'],
    [{ u2f: { keyHandle: 'AA', signatureData: 'AA' } }, 'u2f.clientData'],
    [{ u2f: { keyHandle: 'A', signatureData: 'AA', clientData: 'AA' } }, 'u2f.keyHandle'],
    [{ u2f: { keyHandle: 'AA', signatureData: 'A A', clientData: 'AA' } }, 'u2f.signatureData'],
    [{ fido2_auth_request: {} }, 'fido2_auth_request.response'],
    [{ fido2_auth_request: { ...assertion('AA'), id: 7 } }, 'fido2_auth_request.id'],
    [{ fido2_auth_request: { ...assertion('AA'), type: null } }, 'fido2_auth_request.type'],
    [{ fido2_auth_request: assertion('ö') }, 'fido2_auth_request.id'],
  ])('is refused, naming the member: %j', (body, field) => {
    expect(() => parseVoteFactors(body)).toThrow(expect.objectContaining({ code: 'INVALID_MEMBER', field }))
  })
})

describe('the registration of a key', () => {
  it('is read', () => {
    const response = { clientDataJSON: 'AQ', attestationObject: 'Ag==', getTransports: ['usb', 5] }
    expect(parseAttestation({ id: 'AA', type: 'public-key', response }, 'a')).toEqual({
      credentialId: Buffer.of(0),
      type: 'public-key',
      clientDataJSON: Buffer.of(1),
      attestationObject: Buffer.of(2),
      transports: ['usb'],
    })
  })

  it.each<[object, string]>([
    [{ clientDataJSON: 'AQ' }, 'a.response.attestationObject'],
    [{ attestationObject: 'AQ' }, 'a.response.clientDataJSON'],
    [{ clientDataJSON: 'AQ', attestationObject: 'AQ', getTransports: 'usb' }, 'a.response.getTransports'],
  ])('is refused, naming the member: %j', (response, field) => {
    const parse = () => parseAttestation({ id: 'AA', type: 'public-key', response }, 'a')
    expect(parse).toThrow(expect.objectContaining({ code: 'INVALID_MEMBER', field }))
  })

  it('is asked for in the form of WebAuthn and in that of the vendor', () => {
    const rp = { id: 'approve.example', alsoIds: [], name: 'Quorate', origins: [], appId: '' }
    const person = { id: '0198f0c0-1111-7222-8333-444455556666', name: 'ada@example.com' }
    const id = 'AZjwwBERciKDM0REVVVmZg'
    expect(renderCreationOptions(creationOptions(rp, person, bytes, [], 'fido2'))).toEqual({
      rp: { id: 'approve.example', name: 'Quorate', entity: { id: 'approve.example' } },
      user: { id, name: person.name, displayName: person.name, entity: { id, displayName: person.name } },
      challenge: '--__AQ',
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
      timeout: 60_000,
      excludeCredentials: [],
      authenticatorSelection: { userVerification: 'preferred' },
      attestation: 'none',
    })
    expect(creationOptions(rp, person, bytes, [], 'u2f').attestation).toBe('direct')
  })
})

it('renders the challenge of U2F', () => {
  expect(renderU2fRequest({ challenge: 'AA', keyHandles: ['AQ'] })).toEqual({
    u2f_challenge: 'AA',
    u2f_keys: [{ keyHandle: 'AQ', version: 'U2F_V2' }],
  })
})
