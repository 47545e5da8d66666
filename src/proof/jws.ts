import { createPublicKey, verify, type KeyObject } from 'node:crypto'

/**
 * An RSA public key of a size that we verify with, from 2,048 to 16,384 bits.
 * @returns null when the text is not one in SPKI PEM
 */
export function readRsaKey(pem: string): KeyObject | null {
  if (!/^-----BEGIN PUBLIC KEY-----[\sA-Za-z0-9+/=]+-----END PUBLIC KEY-----\s*$/.test(pem)) return null
  try {
    const key = createPublicKey(pem)
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
    return key.asymmetricKeyType === 'rsa' && bits >= 2048 && bits <= 16_384 ? key : null
  } catch {
    return null
  }
}

/** Whether the signature of a compact JWS is this key's by RS256 (RFC 7518 section 3.3), whatever its header says. */
export function isRs256By(key: KeyObject, jws: string): boolean {
  const end = jws.lastIndexOf('.')
  return verify('sha256', Buffer.from(jws.slice(0, end)), key, Buffer.from(jws.slice(end + 1), 'base64url'))
}
