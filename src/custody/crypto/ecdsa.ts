import { createECDH, createHmac, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import type { HashName } from './hashes.ts'
import { combine, inverse, mod, order } from './p256.ts'

// Node signs data and no hash that was made elsewhere (it has no ECDSA without a hash of its own).

/**
 * ECDSA over P-256 of a hash, with the number of RFC 6979 in place of a random one. The multiplication on the curve is OpenSSL's, and
 * all further arithmetic is on numbers that are blinded, for its times tell what it works on.
 * @param secret DER PKCS#8
 * @returns DER of both numbers
 */
export function signHashed(secret: Buffer, name: HashName, hash: Uint8Array): Buffer {
  const d = numberOf(Buffer.from(jwkOf(secret).d ?? '', 'base64url'))
  const z = leftmost(hash)
  for (const k of candidates(d, name, z)) {
    const r = mod(numberOf(basePointTimes(k).subarray(1, 33)), order)
    const blind = mod(numberOf(randomBytes(40)), order - 1n) + 1n
    const s = mod(
      inverse(mod(k * blind, order), order) * mod(mod(blind * z, order) + mod(blind * r, order) * d, order),
      order,
    )
    if (r !== 0n && s !== 0n) return derOf(r, s)
  }
  throw new Error('unreachable')
}

/** @param publicKey DER SubjectPublicKeyInfo @param signature DER; any other bytes are no signature */
export function verifyHashed(publicKey: Buffer, hash: Uint8Array, signature: Uint8Array): boolean {
  const numbers = numbersIn(Buffer.from(signature))
  if (numbers === null) return false
  const [r, s] = numbers
  if (r <= 0n || r >= order || s <= 0n || s >= order) return false
  const { x, y } = createPublicKey({ key: publicKey, format: 'der', type: 'spki' }).export({ format: 'jwk' })
  const point = { x: numberOf(Buffer.from(x ?? '', 'base64url')), y: numberOf(Buffer.from(y ?? '', 'base64url')) }
  const w = inverse(s, order)
  const found = combine(mod(leftmost(hash) * w, order), mod(r * w, order), point)
  return found !== null && mod(found, order) === r
}

function jwkOf(secret: Buffer) {
  return createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
}

function basePointTimes(k: bigint): Buffer {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(bytesOf(k))
  return curve.getPublicKey()
}

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const bytesOf = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')

/** As many bits of the hash as the order has, which all of our hashes have as bytes. */
const leftmost = (hash: Uint8Array): bigint => numberOf(hash.subarray(0, 32))

/** RFC 6979 §3.2, each number as good as the one before. */
function* candidates(d: bigint, name: HashName, z: bigint): Generator<bigint> {
  const mac = (key: Buffer, ...parts: Buffer[]) =>
    createHmac(name.toLowerCase(), key).update(Buffer.concat(parts)).digest()
  const told = Buffer.concat([bytesOf(d), bytesOf(mod(z, order))])
  const length = mac(Buffer.alloc(0)).length
  let [key, value] = [Buffer.alloc(length, 0), Buffer.alloc(length, 1)]
  for (const step of [0, 1]) {
    key = mac(key, value, Buffer.of(step), told)
    value = mac(key, value)
  }
  for (;;) {
    value = mac(key, value)
    const k = leftmost(value)
    if (k > 0n && k < order) yield k
    key = mac(key, value, Buffer.of(0))
    value = mac(key, value)
  }
}

function derOf(r: bigint, s: bigint): Buffer {
  const body = Buffer.concat([r, s].map(integerOf))
  return Buffer.concat([Buffer.of(0x30, body.length), body])
}

function integerOf(number: bigint): Buffer {
  const hex = number.toString(16)
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  const signed = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
  return Buffer.concat([Buffer.of(2, signed.length), signed])
}

/** Both numbers of a signature; null when it is not exactly what `derOf` writes. */
function numbersIn(der: Buffer): [bigint, bigint] | null {
  const [rLength = 0, sLength = 0] = [der[3], der[5 + (der[3] ?? 0)]]
  const [r, s] = [der.subarray(4, 4 + rLength), der.subarray(6 + rLength, 6 + rLength + sLength)]
  if (r.length === 0 || s.length === 0) return null
  const numbers: [bigint, bigint] = [numberOf(r), numberOf(s)]
  return derOf(...numbers).equals(der) ? numbers : null
}
