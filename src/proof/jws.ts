import { createPublicKey, verify, type KeyObject } from 'node:crypto'

/**
 * An RSA public key in SPKI PEM, in exactly the form that `rsaKeyText` writes (its last line feed may be missing), of 2,048 to
 * 16,384 bits, odd, and with an odd exponent from 3 on of at most 64 bits. What has two forms is read in two ways by two readers.
 * @returns null when it is not
 */
export function readRsaKey(pem: string): KeyObject | null {
  const key = anyPublicKey(pem)
  if (key === null || !isUsable(key)) return null
  const text = rsaKeyText(key)
  return pem === text || `${pem}\n` === text ? key : null
}

/** The one form of a key that `readRsaKey` reads: a PEM with lines of 64 characters over the DER of RFC 8017, appendix A.1. */
export function rsaKeyText(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }) as string
}

/** The same key in that form, however it was written; null when it is none that `readRsaKey` takes. */
export function normalRsaKey(pem: string): string | null {
  const key = anyPublicKey(pem)
  return key !== null && isUsable(key) ? rsaKeyText(key) : null
}

/** Only what is labelled as a public key: Node would draw the public half from a private one, too. */
function anyPublicKey(pem: string): KeyObject | null {
  if (!/^-----BEGIN PUBLIC KEY-----\s/.test(pem)) return null
  try {
    return createPublicKey(pem)
  } catch {
    return null
  }
}

function isUsable(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  return (
    key.asymmetricKeyType === 'rsa' &&
    modulusLength >= 2048 &&
    modulusLength <= 16_384 &&
    isOdd(key) &&
    publicExponent >= 3n &&
    publicExponent % 2n === 1n &&
    publicExponent < 2n ** 64n
  )
}

function isOdd(key: KeyObject): boolean {
  const { n = '' } = key.export({ format: 'jwk' })
  return (Buffer.from(n, 'base64url').at(-1) ?? 0) % 2 === 1
}

/** Whether the signature of a compact JWS is this key's by RS256 (RFC 7518 section 3.3), whatever its header says. */
export function isRs256By(key: KeyObject, jws: string): boolean {
  const end = jws.lastIndexOf('.')
  return verify('sha256', Buffer.from(jws.slice(0, end)), key, Buffer.from(jws.slice(end + 1), 'base64url'))
}
