/** Security keys whose answers are the same every time, for receipts that are made without a server. */
import { createECDH, createHash, createPublicKey, type KeyObject } from 'node:crypto'
import type { KeyEvidence } from '../../src/proof/key-evidence.ts'
import { voteChallenge } from '../../src/proof/vote-challenge.ts'
import { digestOf, isVote, policyDigestOf, type Told, type ToldVote } from './told.ts'

/** A security key of a voter. */
export interface SecurityKey {
  /** Of the voter. */
  readonly id: string
  readonly kind: KeyEvidence['kind']
  readonly publicKey: KeyObject
  /** The public key as COSE, base64url. */
  readonly cose: string
  sign(data: Uint8Array): Buffer
}

/** The key of a voter that this text makes. */
export function securityKeyOf(id: string, text = id, kind: KeyEvidence['kind'] = 'fido2'): SecurityKey {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(hash(`security key: ${text}`))
  const point = curve.getPublicKey()
  const [x, y] = [point.subarray(1, 33), point.subarray(33)]
  const jwk = { kty: 'EC', crv: 'P-256', x: base64url(x), y: base64url(y) }
  return {
    id,
    kind,
    publicKey: createPublicKey({ key: jwk, format: 'jwk' }),
    cose: base64url(Buffer.concat([hex('a5010203262001215820'), x, hex('225820'), y])),
    sign: (data) => signedBy(curve.getPrivateKey(), data),
  }
}

/** Where an answer is other than that of an honest key and browser. */
export interface BentAnswer {
  /** Of what the challenge commits to. */
  readonly vote?: Readonly<Partial<Record<'orgId' | 'requestId' | 'digest' | 'policyDigest' | 'personId', string>>>
  /** Put in the place of members of the client data; undefined takes one out. */
  readonly clientData?: Readonly<Record<string, unknown>>
  /** The client data, written otherwise. */
  readonly written?: (json: string) => string | Buffer
  readonly flags?: number
  readonly origin?: string
  readonly signedFor?: string
  /** Done to hash, flags and counter before they are signed. */
  readonly start?: (start: Buffer) => Buffer
  readonly signature?: (signature: Buffer) => Buffer
  readonly nonce?: string
  /** Put in the place of members of what is kept, once all of it is made; undefined takes one out. */
  readonly kept?: Readonly<Record<string, unknown>>
}

const origin = 'https://approve.example'

/** What a security key answers when its voter approves. */
export function evidenceOf(told: Told, vote: ToldVote, key: SecurityKey, bent: BentAnswer = {}): KeyEvidence {
  const isFido2 = key.kind === 'fido2'
  const id = isFido2 ? 'approve.example' : origin
  const nonce = bent.nonce ?? base64url(hash(`nonce ${told.request.id} ${key.id} ${vote.seq}`))
  const challenge = voteChallenge(
    {
      orgId: told.organization,
      requestId: told.request.id,
      digest: digestOf(told),
      policyDigest: policyDigestOf(told.policy),
      personId: vote.person ?? '',
      ...bent.vote,
    },
    Buffer.from(nonce, 'base64url'),
  )
  const type = isFido2 ? { type: 'webauthn.get' } : { typ: 'navigator.id.getAssertion' }
  const from = bent.origin ?? origin
  const json = JSON.stringify({
    ...type,
    challenge: base64url(challenge),
    origin: from,
    ...(isFido2 && { crossOrigin: false }),
    ...bent.clientData,
  })
  const clientData = Buffer.from(bent.written?.(json) ?? json)
  const counted = Buffer.concat([hash(bent.signedFor ?? id), Buffer.of(bent.flags ?? 1), hex('00000007')])
  const start = bent.start?.(counted) ?? counted
  const made = key.sign(Buffer.concat([start, hash(clientData)]))
  const signature = bent.signature?.(made) ?? made
  const kept = { nonce, credentialId: base64url(hash(key.id)), publicKey: key.cose, origin: from }
  const answer = isFido2
    ? {
        kind: 'fido2',
        clientDataJSON: base64url(clientData),
        authenticatorData: base64url(start),
        signature: base64url(signature),
        rpId: id,
      }
    : {
        kind: 'u2f',
        clientData: base64url(clientData),
        signatureData: base64url(Buffer.concat([start.subarray(32), signature])),
        appId: id,
      }
  const members = Object.entries({ ...kept, ...answer, ...bent.kept }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(members) as unknown as KeyEvidence
}

const kept = new Map<string, SecurityKey>()

/** The key of a voter of the random cases: some have one of U2F. */
export function randomKeyOf(id: string): SecurityKey {
  const key = kept.get(id) ?? securityKeyOf(id, id, id.charCodeAt(0) % 2 === 0 ? 'u2f' : 'fido2')
  kept.set(id, key)
  return key
}

/** The same with every vote answered for that says a security key proved it, by that of whoever cast it. */
export function answered(told: Told, keyOf: (voter: string) => SecurityKey): Told {
  return {
    ...told,
    events: told.events.map((event) => {
      if (!isVote(event) || !event.assurance.includes('securityKey')) return event
      return { ...event, evidence: evidenceOf(told, event, keyOf(event.principal)) }
    }),
  }
}

/** The order of the group of P-256 (FIPS 186-4, D.1.2.3). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** ECDSA with SHA-256, DER. The secret number is made of the key and the data, where Node draws one: good for tests alone. */
function signedBy(secret: Buffer, data: Uint8Array): Buffer {
  const digest = hash(data)
  const once = hash(Buffer.concat([secret, digest]))
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(once)
  const r = numberOf(curve.getPublicKey().subarray(1, 33)) % order
  const s = (inverse(numberOf(once)) * (numberOf(digest) + r * numberOf(secret))) % order
  const numbers = Buffer.concat([derOf(r), derOf(s)])
  return Buffer.concat([Buffer.of(0x30, numbers.length), numbers])
}

/** By Fermat: the order is a prime. */
function inverse(value: bigint): bigint {
  let [result, base] = [1n, value % order]
  for (let exponent = order - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % order
    base = (base * base) % order
  }
  return result
}

function derOf(value: bigint): Buffer {
  const digits = value.toString(16)
  const bytes = hex(digits.length % 2 === 0 ? digits : `0${digits}`)
  const padded = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
  return Buffer.concat([Buffer.of(0x02, padded.length), padded])
}

const numberOf = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)
const hex = (digits: string): Buffer => Buffer.from(digits, 'hex')
const hash = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
