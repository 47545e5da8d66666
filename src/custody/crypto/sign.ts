import {
  constants,
  createPrivateKey,
  createPublicKey,
  privateEncrypt,
  publicDecrypt,
  sign as signData,
  timingSafeEqual,
  verify as verifyData,
  type KeyObject,
} from 'node:crypto'
import { signHashed, verifyHashed } from './ecdsa.ts'
import { hashLengths, hashOf, type HashName, type MaskHashName } from './hashes.ts'
import type { KeyMaterial } from './key-material.ts'
import { refuse } from './refuse.ts'
import { encodePkcs1, encodePss, isPss } from './rsa-encoding.ts'

/** How an RSA signature is padded. */
export type SignatureMode = { readonly kind: 'pkcs1' } | { readonly kind: 'pss'; readonly mgf: MaskHashName }

export interface ToSign {
  readonly hashName: HashName
  /** Exactly one of `hash` and `data` is there. */
  readonly hash: Buffer | null
  readonly data: Buffer | null
  /** Null for RSA is PKCS#1 v1.5; for EC there is no other. */
  readonly mode: SignatureMode | null
}

/** RSA by RFC 8017, or ECDSA as DER. @throws AppError CRYPTO_INPUT_INVALID */
export function sign({ kind, secret }: KeyMaterial & { readonly secret: Buffer }, input: ToSign): Buffer {
  const hash = hashToSign(kind, input)
  const { hashName, data, mode } = input
  const key = createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' })
  if (kind === 'EC') {
    return data === null ? signHashed(secret, hashName, hash) : signData(hashName, data, { key, dsaEncoding: 'der' })
  }
  const bits = bitsOf(key)
  const encoded =
    mode?.kind === 'pss'
      ? encodePss({ hash: hashName, mgf: mode.mgf }, hash, bits)
      : encodePkcs1(hashName, hash, Math.ceil(bits / 8))
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded)
}

/** Whether this is the key's signature; one of another length or form is none. @throws AppError CRYPTO_INPUT_INVALID */
export function verify(
  { kind, publicKey }: KeyMaterial & { readonly publicKey: Buffer },
  input: ToSign,
  signature: Buffer,
): boolean {
  const hash = hashToSign(kind, input)
  const { hashName, data, mode } = input
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
  if (kind === 'EC') {
    return data === null
      ? verifyHashed(publicKey, hash, signature)
      : verifyData(hashName, data, { key, dsaEncoding: 'der' }, signature)
  }
  const signed = recover(key, signature)
  if (signed === null) return false
  const bits = bitsOf(key)
  if (mode?.kind === 'pss') return isPss({ hash: hashName, mgf: mode.mgf }, hash, bits, signed)
  return timingSafeEqual(encodePkcs1(hashName, hash, signed.length), signed)
}

function hashToSign(kind: KeyMaterial['kind'], { hashName, hash, data, mode }: ToSign): Buffer {
  if (kind !== 'RSA' && kind !== 'EC') refuse(`A key of obj_type ${kind} makes no signatures.`)
  if (kind === 'EC' && mode !== null) refuse('mode is for signatures of obj_type RSA.')
  if ((hash === null) === (data === null)) refuse('Exactly one of hash and data is needed.')
  if (hash === null) return hashOf(hashName, data ?? Buffer.alloc(0))
  if (hash.length !== hashLengths[hashName]) refuse(`hash must be of ${hashLengths[hashName]} bytes for ${hashName}.`)
  return hash
}

function bitsOf(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 0
}

/** What was signed; null where the signature is no number below the modulus of its length. */
function recover(key: KeyObject, signature: Buffer): Buffer | null {
  if (signature.length !== Math.ceil(bitsOf(key) / 8)) return null
  try {
    return publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature)
  } catch {
    return null
  }
}
