import { constants, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt } from 'node:crypto'
import { AppError } from '../../errors.ts'
import { hashLengths, type MaskHashName } from './hashes.ts'
import { refuse } from './refuse.ts'

const padding = constants.RSA_PKCS1_OAEP_PADDING

/** RSAES-OAEP (RFC 8017 §7.1) with one hash for all. @param publicKey DER @throws AppError CRYPTO_INPUT_INVALID */
export function encryptOaep(publicKey: Buffer, hash: MaskHashName, plain: Buffer): Buffer {
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
  const most = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8) - 2 * hashLengths[hash] - 2
  if (plain.length > most) refuse(`plain must have at most ${most} bytes for this key.`)
  return publicEncrypt({ key, padding, oaepHash: hash }, plain)
}

/** @param secret DER PKCS#8 @throws AppError CIPHER_NOT_GENUINE */
export function decryptOaep(secret: Buffer, hash: MaskHashName, cipher: Buffer): Buffer {
  const key = createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' })
  try {
    return privateDecrypt({ key, padding, oaepHash: hash }, cipher)
  } catch (cause) {
    throw new AppError('CIPHER_NOT_GENUINE', undefined, { cause })
  }
}
