import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** Encrypts small values at rest with AES-256-GCM: a version byte, 12 bytes of nonce, 16 of tag, then the text. */
export function seal(key: Buffer, plain: Uint8Array): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), text])
}

/** @throws Error when the value was sealed under another key or has been altered */
export function unseal(key: Buffer, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed)
  if (bytes[0] !== version) throw new Error('sealed value of an unknown version')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 13))
  decipher.setAuthTag(bytes.subarray(13, 29))
  return Buffer.concat([decipher.update(bytes.subarray(29)), decipher.final()])
}

const version = 1
