import { createHmac } from 'node:crypto'
import type { HashName } from './hashes.ts'

/** HMAC (FIPS 198-1). */
export function mac(key: Buffer, hash: HashName, data: Uint8Array): Buffer {
  return createHmac(hash.toLowerCase(), key).update(data).digest()
}
