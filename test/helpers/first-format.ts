import { createCipheriv, randomBytes } from 'node:crypto'

/** A value as it was sealed before what is sealed named its key: a byte 1, nonce, tag, text. */
export function sealInFirstFormat(key: Buffer, plain: Uint8Array): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.of(1), nonce, cipher.getAuthTag(), text])
}
