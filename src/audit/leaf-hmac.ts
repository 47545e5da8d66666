import { createHmac, hkdfSync } from 'node:crypto'
import type { HeldKeys } from '../config/secrets.ts'

/**
 * What a leaf says of something that nobody may be able to guess from it: HMAC-SHA-256, in hex. The key is derived (HKDF, RFC 5869)
 * from the store's first data key, which stays when another comes to seal.
 * @param purpose tells what is digested, so that nothing can be passed off as something else
 * @throws Error when the first data key is not held
 */
export function leafHmac({ byNumber }: HeldKeys, purpose: string, text: string): string {
  const first = byNumber.get(1)
  if (first === undefined) throw new Error('the first data key is not held')
  const key = Buffer.from(hkdfSync('sha256', first, '', purpose, 32))
  return createHmac('sha256', key).update(text).digest('hex')
}

/** Of a secret as it is kept: the hash that somebody signs in by, or a password that the server gives to others. */
export function secretHmac(held: HeldKeys, kept: string): string {
  return leafHmac(held, 'quorate kept secrets', kept)
}
