import { createPrivateKey } from 'node:crypto'
import type { KeyMaterial } from './key-material.ts'

/**
 * The key as it leaves: the bytes of a symmetric one; DER PKCS#1 of an RSA private key, PKCS#8 of an EC one; the public key
 * where there is no other.
 */
export function exportKey({ kind, secret, publicKey }: KeyMaterial): Buffer {
  if (secret === null) return publicKey ?? Buffer.alloc(0)
  if (kind !== 'RSA') return secret
  return createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs1', format: 'der' })
}
