import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/**
 * Keys of 32 bytes that all have the same task, each known by a number of 32 bits. What is sealed begins with the number of
 * its key, so that the key which seals can be changed while what the earlier ones sealed still opens. `held` is replaced as
 * a whole when there is another key.
 */
export interface KeyRing {
  held: HeldKeys
}

export interface HeldKeys {
  /** Number of the key that seals. */
  readonly sealing: number
  readonly byNumber: ReadonlyMap<number, Buffer>
  /** Those that may have sealed a value of the first format, which names no key. */
  readonly unnamed: readonly Buffer[]
}

/** A ring of one key, under number 1. */
export function ringOf(key: Buffer): KeyRing {
  return { held: { sealing: 1, byNumber: new Map([[1, key]]), unnamed: [key] } }
}

/**
 * Encrypts a small value at rest with AES-256-GCM: the byte 2, the key's number in 4 bytes, 12 bytes of nonce, 16 of tag, then
 * the text. The tag vouches for the number too.
 * @param place where it is kept, which the tag vouches for as well: at another it does not open. Empty: it may stand anywhere
 */
export function seal(ring: KeyRing, plain: Uint8Array, place = ''): Buffer {
  const header = headerOf(ring)
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, keyOf(ring, ring.held.sealing), nonce).setAAD(vouchedFor(header, place))
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([header, nonce, cipher.getAuthTag(), text])
}

/**
 * @param place where it was sealed for; the first format knows of none
 * @throws Error when the value has been altered or cut, was sealed for another place, or under a key that the ring does not hold
 */
export function unseal(ring: KeyRing, sealed: Uint8Array, place = ''): Buffer {
  const bytes = Buffer.from(sealed)
  if (bytes[0] === firstFormat) return openUnnamed(ring.held.unnamed, bytes.subarray(1))
  const number = keyNumberOf(bytes)
  if (number === null) throw new Error('no sealed value, or one of an unknown format')
  const header = bytes.subarray(0, headerBytes)
  return decrypt(keyOf(ring, number), vouchedFor(header, place), bytes.subarray(headerBytes))
}

/** The number of the key that a value is sealed under; null when the value does not say. */
export function keyNumberOf(sealed: Uint8Array): number | null {
  if (sealed[0] !== format || sealed.length < headerBytes) return null
  return Buffer.from(sealed).readUInt32BE(1)
}

/** The first 5 bytes of whatever the ring seals now, and of nothing that is sealed under another key. */
export function headerOf({ held }: KeyRing): Buffer {
  const header = Buffer.alloc(headerBytes, format)
  header.writeUInt32BE(held.sealing, 1)
  return header
}

const algorithm = 'aes-256-gcm'
const firstFormat = 1
const format = 2
const headerBytes = 5
const nonceBytes = 12
const tagBytes = 16

/** The header has one length, so that nothing else can be taken for it with another place. */
function vouchedFor(header: Buffer, place: string): Buffer {
  return Buffer.concat([header, Buffer.from(place)])
}

function keyOf({ held }: KeyRing, number: number): Buffer {
  const key = held.byNumber.get(number)
  if (key === undefined) throw new Error(`sealed under key ${number}, which is not at hand`)
  return key
}

/** The first format had a byte 1 in front of nonce, tag and text, and one key for all there was. */
function openUnnamed(keys: readonly Buffer[], body: Buffer): Buffer {
  let cause: unknown
  for (const key of keys) {
    try {
      return decrypt(key, Buffer.alloc(0), body)
    } catch (error) {
      cause = error
    }
  }
  throw new Error('sealed under a key that is not at hand, or altered', { cause })
}

// Told its length, the cipher refuses the shorter tag of a value that was cut, which would be easier to forge.
function decrypt(key: Buffer, vouched: Buffer, body: Buffer): Buffer {
  const decipher = createDecipheriv(algorithm, key, body.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(vouched).setAuthTag(body.subarray(nonceBytes, nonceBytes + tagBytes))
  return Buffer.concat([decipher.update(body.subarray(nonceBytes + tagBytes)), decipher.final()])
}
