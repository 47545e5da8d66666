import { createPrivateKey, createPublicKey, publicEncrypt, sign, verify, type KeyObject } from 'node:crypto'
import { AppError } from '../../errors.ts'
import type { KeyKind } from '../../store/schema-custody.ts'
import type { KeyMaterial } from './key-material.ts'
import { requireShape } from './key-shape.ts'

/**
 * Reads a key that was made elsewhere: the bytes of a symmetric one; of a pair, DER of the private key (PKCS#8; PKCS#1 for RSA,
 * SEC 1 for EC) or of the public one alone (SubjectPublicKeyInfo; PKCS#1 for RSA).
 * Size and curve are what the bytes say, whatever the caller may have said of them.
 * @throws AppError KEY_MATERIAL_INVALID, CRYPTO_INPUT_INVALID
 */
export function importKey(kind: KeyKind, bytes: Buffer): KeyMaterial {
  const material = kind === 'AES' || kind === 'HMAC' ? symmetric(kind, bytes) : pairFrom(kind, bytes)
  requireShape(material)
  return material
}

function symmetric(kind: KeyKind, bytes: Buffer): KeyMaterial {
  return { kind, sizeBits: bytes.length * 8, curve: null, secret: bytes, publicKey: null }
}

function pairFrom(kind: 'RSA' | 'EC', bytes: Buffer): KeyMaterial {
  const privateKey = privateKeyIn(kind, bytes)
  const publicKey = privateKey === null ? publicKeyIn(kind, bytes) : createPublicKey(privateKey)
  if (publicKey === null) throw new AppError('KEY_MATERIAL_INVALID', `value is no DER of a key of obj_type ${kind}.`)
  const { modulusLength = 0, publicExponent, namedCurve } = publicKey.asymmetricKeyDetails ?? {}
  if (kind === 'RSA' && publicExponent !== 65_537n) {
    throw new AppError('KEY_MATERIAL_INVALID', 'The public exponent must be 65537.')
  }
  if (kind === 'EC' && namedCurve !== 'prime256v1') {
    throw new AppError('KEY_MATERIAL_INVALID', 'The curve must be NistP256.')
  }
  if (!doesWork(publicKey, privateKey)) {
    throw new AppError('KEY_MATERIAL_INVALID', 'The numbers of the key do not belong together.')
  }
  return {
    kind,
    sizeBits: kind === 'RSA' ? modulusLength : null,
    curve: kind === 'EC' ? 'NistP256' : null,
    secret: privateKey === null ? null : privateKey.export({ type: 'pkcs8', format: 'der' }),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
  }
}

/** DER may hold any numbers, of which it shows only in use whether they are a key. */
function doesWork(publicKey: KeyObject, privateKey: KeyObject | null): boolean {
  const data = Buffer.from('probe')
  try {
    if (publicKey.asymmetricKeyType === 'rsa') publicEncrypt(publicKey, data)
    return privateKey === null || verify('sha256', data, publicKey, sign('sha256', data, privateKey))
  } catch {
    return false
  }
}

/** The one of the forms that it is; null for none. */
function firstOf(types: readonly string[], kind: 'RSA' | 'EC', read: (type: string) => KeyObject): KeyObject | null {
  for (const type of types) {
    try {
      const key = read(type)
      if (key.asymmetricKeyType === kind.toLowerCase()) return key
    } catch {
      // Of another form.
    }
  }
  return null
}

function privateKeyIn(kind: 'RSA' | 'EC', key: Buffer): KeyObject | null {
  return firstOf(['pkcs8', kind === 'RSA' ? 'pkcs1' : 'sec1'], kind, (type) =>
    createPrivateKey({ key, format: 'der', type: type as 'pkcs8' | 'pkcs1' | 'sec1' }),
  )
}

function publicKeyIn(kind: 'RSA' | 'EC', key: Buffer): KeyObject | null {
  return firstOf(kind === 'RSA' ? ['spki', 'pkcs1'] : ['spki'], kind, (type) =>
    createPublicKey({ key, format: 'der', type: type as 'spki' | 'pkcs1' }),
  )
}
