import { randomBytes, timingSafeEqual } from 'node:crypto'
import { hashLengths, hashOf, type HashName, type MaskHashName } from './hashes.ts'

// Node signs data and no hash that was made elsewhere, and MGF1 only with the hash of the signature: what is signed is
// encoded here, and the key applied to it without padding.

/** DER of a DigestInfo up to its hash (RFC 8017 §9.2, note 1). */
const digestInfos: Readonly<Record<HashName, string>> = {
  SHA256: '3031300d060960864801650304020105000420',
  SHA384: '3041300d060960864801650304020205000430',
  SHA512: '3051300d060960864801650304020305000440',
}

/** EMSA-PKCS1-v1_5 (RFC 8017 §9.2). @param length of the modulus, in bytes */
export function encodePkcs1(name: HashName, hash: Uint8Array, length: number): Buffer {
  const info = Buffer.concat([Buffer.from(digestInfos[name], 'hex'), hash])
  return Buffer.concat([Buffer.of(0, 1), Buffer.alloc(length - info.length - 3, 0xff), Buffer.of(0), info])
}

interface PssHashes {
  readonly hash: HashName
  readonly mgf: MaskHashName
}

/** EMSA-PSS (RFC 8017 §9.1.1) with a salt as long as the hash. @param modulusBits gives the length of the result too */
export function encodePss(
  { hash: name, mgf }: PssHashes,
  hash: Uint8Array,
  modulusBits: number,
  salt: Uint8Array = randomBytes(hashLengths[name]),
): Buffer {
  const length = Math.ceil((modulusBits - 1) / 8)
  const h = hashOf(name, Buffer.concat([Buffer.alloc(8), hash, salt]))
  const zeros = Buffer.alloc(length - salt.length - h.length - 2)
  const block = xored(Buffer.concat([zeros, Buffer.of(1), salt]), h, mgf)
  block[0] = (block[0] ?? 0) & topMask(modulusBits)
  return padded(Buffer.concat([block, h, Buffer.of(0xbc)]), modulusBits)
}

/** EMSA-PSS (RFC 8017 §9.1.2), whatever the length of its salt. */
export function isPss(
  { hash: name, mgf }: PssHashes,
  hash: Uint8Array,
  modulusBits: number,
  signed: Uint8Array,
): boolean {
  const encodedLength = Math.ceil((modulusBits - 1) / 8)
  if (signed.subarray(0, signed.length - encodedLength).some((byte) => byte !== 0)) return false
  const encoded = Buffer.from(signed).subarray(signed.length - encodedLength)
  const hashLength = hashLengths[name]
  const blockLength = encodedLength - hashLength - 1
  if (encoded.at(-1) !== 0xbc || ((encoded[0] ?? 0) & ~topMask(modulusBits)) !== 0) return false
  const h = encoded.subarray(blockLength, blockLength + hashLength)
  const block = xored(encoded.subarray(0, blockLength), h, mgf)
  block[0] = (block[0] ?? 0) & topMask(modulusBits)
  const one = block.findIndex((byte) => byte !== 0)
  if (one < 0 || block[one] !== 1) return false
  return timingSafeEqual(hashOf(name, Buffer.concat([Buffer.alloc(8), hash, block.subarray(one + 1)])), h)
}

/** The bits of the first byte that may be set. */
function topMask(modulusBits: number): number {
  return 0xff >> (8 * Math.ceil((modulusBits - 1) / 8) - (modulusBits - 1))
}

function padded(encoded: Buffer, modulusBits: number): Buffer {
  return Buffer.concat([Buffer.alloc(Math.ceil(modulusBits / 8) - encoded.length), encoded])
}

/** With MGF1 of the seed (RFC 8017 §B.2.1). */
function xored(block: Uint8Array, seed: Uint8Array, name: MaskHashName): Buffer {
  const mask: Buffer[] = []
  for (let made = 0; made < block.length; made += hashLengths[name]) {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(mask.length)
    mask.push(hashOf(name, Buffer.concat([seed, counter])))
  }
  const bytes = Buffer.concat(mask)
  return Buffer.from(block.map((byte, index) => byte ^ (bytes[index] ?? 0)))
}
