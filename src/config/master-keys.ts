import { createHash } from 'node:crypto'
import { invalid } from './checks.ts'
import type { KeyRing } from './secrets.ts'

const name = 'QUORATE_MASTER_KEY'

/**
 * Reads `QUORATE_MASTER_KEY`: keys of 32 bytes in base64, separated by commas. The first seals, all open. A key's number is the
 * first 4 bytes of its SHA-256, so a key has the same wherever it stands.
 * @returns null when there is none
 * @throws AppError CONFIGURATION_INVALID
 */
export function masterKeysOf(value: string | undefined): KeyRing | null {
  if (value === undefined) return null
  const keys = value.split(',').map(readKey)
  const byNumber = new Map(keys.map((key) => [numberOf(key), key]))
  if (byNumber.size < keys.length) invalid(name, 'must not hold the same key twice')
  const [sealing = 0] = byNumber.keys()
  return { held: { sealing, byNumber, unnamed: keys } }
}

/** A master key as the operator can tell it from others: 8 hexadecimal digits, `base64 -d | sha256sum` begins with them. */
export function masterKeyId(number: number): string {
  return number.toString(16).padStart(8, '0')
}

// 32 bytes exactly. Decoding alone would end at the first padding and pass over what is no base64: a second key behind a
// blank would go unnoticed.
const form = /^[\w+/-]{43}=?$/

function readKey(text: string): Buffer {
  if (!form.test(text.trim())) {
    invalid(name, 'must be 32 bytes in base64 (openssl rand -base64 32), or several such keys with commas between')
  }
  return Buffer.from(text.trim(), 'base64')
}

function numberOf(key: Buffer): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0)
}
