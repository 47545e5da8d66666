import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto'
import type { Assertion } from '../../src/identity/webauthn/assertion.ts'
import type { Attestation } from '../../src/identity/webauthn/attestation.ts'
import type { U2fAnswer } from '../../src/identity/webauthn/u2f.ts'
import { cbor, type Cbor } from './cbor.ts'
import { certificate, certificateKey } from './certificate.ts'

export type Format = 'none' | 'packed' | 'fido-u2f'

/** What a page asked the browser for, and where the page came from. */
export interface Ceremony {
  /** Base64url. */
  readonly challenge: string
  readonly rpId: string
  readonly origin: string
}

/** Where an answer is other than that of an honest key and browser. */
export interface Deviation {
  /** Put in the place of members of the client data; undefined takes one out. */
  readonly clientData?: Readonly<Record<string, unknown>>
  /** In the place of the client data. */
  readonly clientDataJSON?: Buffer
  readonly flags?: number
  readonly counter?: number
  /** In the place of the hash of the id. */
  readonly signedFor?: string
  readonly signingKey?: KeyObject
  /** What is done to the answer when all of it is made. */
  readonly signature?: (signature: Buffer) => Buffer
  readonly authenticatorData?: (data: Buffer) => Buffer
}

export interface Registration extends Deviation {
  readonly format?: Format
  /** In the place of the key in the attested data, as COSE. */
  readonly coseKey?: Cbor
  /** In the place of the attestation statement. */
  readonly statement?: ReadonlyMap<string, Cbor>
  readonly formatName?: string
}

export const userPresent = 0x01
export const userVerified = 0x04
const attestedData = 0x40

/** A security key in software: one credential on P-256, and a counter that goes up by one. */
export class Authenticator {
  readonly credentialId = randomBytes(32)
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  counter: number

  /** @param counter what it has counted to; null for a key that does not count and always says 0 */
  constructor(counter: number | null = 0) {
    this.counter = counter ?? Number.NaN
  }

  /** For whoever got it from elsewhere than the server. */
  get publicKey(): KeyObject {
    return this.#keys.publicKey
  }

  /** The public key as COSE (RFC 9053, section 7.1). */
  get coseKey(): ReadonlyMap<number, Cbor> {
    const { x = '', y = '' } = this.#keys.publicKey.export({ format: 'jwk' })
    const entries: [number, Cbor][] = [
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ]
    return new Map(entries)
  }

  /** Answers to creation options. */
  register(ceremony: Ceremony, { format = 'none', ...change }: Registration = {}): Attestation {
    const clientDataJSON = clientDataOf('webauthn.create', ceremony, change)
    const flags = change.flags ?? userPresent | attestedData
    const length = Buffer.from([this.credentialId.length >> 8, this.credentialId.length & 0xff])
    const cose = cbor(change.coseKey ?? this.coseKey)
    const attested = (flags & attestedData) === 0 ? [] : [Buffer.alloc(16), length, this.credentialId, cose]
    const start = Buffer.concat([this.#start(ceremony, { ...change, flags }), ...attested])
    const authData = change.authenticatorData?.(start) ?? start
    const statement = change.statement ?? this.#statement(format, ceremony, clientDataJSON, authData, change)
    const object: [string, Cbor][] = [
      ['fmt', change.formatName ?? format],
      ['attStmt', statement],
      ['authData', authData],
    ]
    return {
      credentialId: this.credentialId,
      type: 'public-key',
      clientDataJSON,
      attestationObject: cbor(new Map(object)),
      transports: ['usb'],
    }
  }

  /** Answers to request options. */
  assert(ceremony: Ceremony, change: Deviation = {}): Assertion {
    const clientDataJSON = clientDataOf('webauthn.get', ceremony, change)
    const start = this.#start(ceremony, change)
    const authenticatorData = change.authenticatorData?.(start) ?? start
    const signature = this.#sign(Buffer.concat([authenticatorData, sha256(clientDataJSON)]), change)
    return {
      credentialId: this.credentialId,
      type: 'public-key',
      clientDataJSON,
      authenticatorData,
      signature,
      userHandle: null,
      usesAppId: false,
    }
  }

  /** Answers to a U2F challenge: the id is the application id. */
  signU2f(ceremony: Ceremony, change: Deviation = {}): U2fAnswer {
    const clientData = clientDataOf('navigator.id.getAssertion', ceremony, change, 'typ')
    // An application id's hash, presence and counter stand as the hash of an id, flags and counter do in FIDO2.
    const start = this.#start(ceremony, change)
    const signature = this.#sign(Buffer.concat([start, sha256(clientData)]), change)
    const signatureData = Buffer.concat([start.subarray(32), signature])
    return { keyHandle: this.credentialId, clientData, signatureData }
  }

  #start({ rpId }: Ceremony, { signedFor = rpId, flags = userPresent, counter }: Deviation): Buffer {
    if (counter === undefined && !Number.isNaN(this.counter)) this.counter += 1
    const counted = Buffer.alloc(4)
    counted.writeUInt32BE(counter ?? (Number.isNaN(this.counter) ? 0 : this.counter))
    return Buffer.concat([sha256(signedFor), Buffer.from([flags]), counted])
  }

  #sign(data: Buffer, { signingKey = this.#keys.privateKey, signature = (same) => same }: Deviation): Buffer {
    return signature(sign('sha256', data, signingKey))
  }

  #statement(
    format: Format,
    ceremony: Ceremony,
    clientDataJSON: Buffer,
    authData: Buffer,
    change: Registration,
  ): ReadonlyMap<string, Cbor> {
    switch (format) {
      case 'none':
        return new Map()
      case 'packed': {
        const signature = this.#sign(Buffer.concat([authData, sha256(clientDataJSON)]), change)
        return new Map<string, Cbor>([
          ['alg', -7],
          ['sig', signature],
        ])
      }
      case 'fido-u2f': {
        const point = Buffer.concat([Buffer.from([4]), this.coseKey.get(-2) as Buffer, this.coseKey.get(-3) as Buffer])
        const hash = sha256(change.signedFor ?? ceremony.rpId)
        const data = Buffer.concat([Buffer.from([0]), hash, sha256(clientDataJSON), this.credentialId, point])
        const signature = this.#sign(data, {
          ...change,
          signingKey: change.signingKey ?? createPrivateKey(certificateKey),
        })
        return new Map<string, Cbor>([
          ['x5c', [new X509Certificate(certificate).raw]],
          ['sig', signature],
        ])
      }
    }
  }
}

function clientDataOf(
  type: string,
  { challenge, origin }: Ceremony,
  { clientData, clientDataJSON }: Deviation,
  typeMember = 'type',
): Buffer {
  return (
    clientDataJSON ??
    Buffer.from(JSON.stringify({ [typeMember]: type, challenge, origin, crossOrigin: false, ...clientData }))
  )
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}
