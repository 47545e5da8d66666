import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { signHashed } from '../../../src/custody/crypto/ecdsa.ts'
import { generateKey } from '../../../src/custody/crypto/generate.ts'
import {
  hashNames,
  hashOf,
  maskHashNames,
  type HashName,
  type MaskHashName,
} from '../../../src/custody/crypto/hashes.ts'
import { encodePss, isPss } from '../../../src/custody/crypto/rsa-encoding.ts'
import { sign, verify, type SignatureMode, type ToSign } from '../../../src/custody/crypto/sign.ts'
import { ecPairOf, hex, isPair, type Pair } from '../../helpers/keys.ts'

const refusal = (code: string) => expect.objectContaining({ code }) as Error
const data = Buffer.from('to be signed')
const pkcs1: SignatureMode = { kind: 'pkcs1' }
const pss = (mgf: MaskHashName): SignatureMode => ({ kind: 'pss', mgf })
const ofData = (hashName: HashName, mode: SignatureMode | null): ToSign => ({ hashName, hash: null, data, mode })
const ofHash = (hashName: HashName, mode: SignatureMode | null): ToSign => ({
  hashName,
  hash: hashOf(hashName, data),
  data: null,
  mode,
})

async function made(shape: Parameters<typeof generateKey>[0]): Promise<Pair> {
  const material = await generateKey(shape)
  if (!isPair(material)) throw new Error('no pair')
  return material
}

let rsa: Pair
let odd: Pair
let ec: Pair
beforeAll(async () => {
  rsa = await made({ kind: 'RSA', sizeBits: 2048, curve: null })
  odd = await made({ kind: 'RSA', sizeBits: 2056, curve: null })
  ec = await made({ kind: 'EC', sizeBits: null, curve: 'NistP256' })
})

const privateOf = ({ secret }: Pair) => createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' })
const publicOf = ({ publicKey }: Pair) => createPublicKey({ key: publicKey, format: 'der', type: 'spki' })

describe.each(hashNames)('with %s', (name) => {
  const padding = constants.RSA_PKCS1_PADDING
  const pssPadding = constants.RSA_PKCS1_PSS_PADDING

  it('an RSA signature is the one that OpenSSL makes, of data and of their hash', () => {
    const expected = nodeSign(name, data, { key: privateOf(rsa), padding })
    expect(sign(rsa, ofData(name, pkcs1))).toEqual(expected)
    expect(sign(rsa, ofHash(name, null))).toEqual(expected)
    expect(verify(rsa, ofHash(name, pkcs1), expected)).toBe(true)
  })

  it('OpenSSL accepts a PSS signature of ours, and we accept one of its, whatever the salt', () => {
    for (const key of [rsa, odd]) {
      const signature = sign(key, ofHash(name, pss(name)))
      const saltLength = constants.RSA_PSS_SALTLEN_DIGEST
      expect(nodeVerify(name, data, { key: publicOf(key), padding: pssPadding, saltLength }, signature)).toBe(true)
      for (const salt of [saltLength, constants.RSA_PSS_SALTLEN_MAX_SIGN, 0]) {
        const its = nodeSign(name, data, { key: privateOf(key), padding: pssPadding, saltLength: salt })
        expect(verify(key, ofData(name, pss(name)), its)).toBe(true)
        expect(verify(key, ofData(name, pkcs1), its)).toBe(false)
      }
    }
  })

  it('an ECDSA signature is one for OpenSSL, of data and of their hash, and ours for its', () => {
    const key = { key: publicOf(ec), dsaEncoding: 'der' } as const
    expect(nodeVerify(name, data, key, sign(ec, ofHash(name, null)))).toBe(true)
    expect(nodeVerify(name, data, key, sign(ec, ofData(name, null)))).toBe(true)
    const its = nodeSign(name, data, { key: privateOf(ec), dsaEncoding: 'der' })
    expect([verify(ec, ofHash(name, null), its), verify(ec, ofData(name, null), its)]).toEqual([true, true])
  })
})

it('PSS masks with another hash when it is told to', () => {
  const signature = sign(rsa, ofData('SHA256', pss('SHA512')))
  expect(verify(rsa, ofData('SHA256', pss('SHA512')), signature)).toBe(true)
  expect(verify(rsa, ofData('SHA256', pss('SHA256')), signature)).toBe(false)
})

it.each(maskHashNames)('PSS of OpenSSL that is masked with %s is PSS', (mgf) => {
  const options = { modulusLength: 2048, hashAlgorithm: 'sha256', mgf1HashAlgorithm: mgf.toLowerCase() }
  const its = generateKeyPairSync('rsa-pss', options)
  // The key itself, which says nothing of PSS, is what is last.
  const key = its.publicKey.export({ type: 'spki', format: 'der' }).subarray(-270)
  const publicKey = createPublicKey({ key, format: 'der', type: 'pkcs1' }).export({ type: 'spki', format: 'der' })
  const signature = nodeSign('sha256', data, its.privateKey)
  const isTaken = (mode: SignatureMode) => verify({ ...rsa, publicKey }, ofData('SHA256', mode), signature)
  expect(maskHashNames.filter((name) => isTaken(pss(name)))).toEqual([mgf])
})

// RFC 6979, A.2.5, for the message "sample".
it.each([
  [
    'SHA256',
    'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716',
    'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
  ],
  [
    'SHA384',
    '0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719',
    '4861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954',
  ],
  [
    'SHA512',
    '8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00',
    '2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe',
  ],
] as const)('an ECDSA signature of a hash of %s has the published numbers', (name, r, s) => {
  const { secret } = ecPairOf(hex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721'))
  const numbers = [r, s].map((number) => hex(number))
  const parts = numbers.map((one) => {
    const bytes = one[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), one]) : one
    return Buffer.concat([Buffer.of(2, bytes.length), bytes])
  })
  const body = Buffer.concat(parts)
  expect(signHashed(secret, name, hashOf(name, Buffer.from('sample')))).toEqual(
    Buffer.concat([Buffer.of(0x30, body.length), body]),
  )
})

it('our ECDSA and that of OpenSSL agree about many keys and hashes, and about a turned bit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(), (bytes, at) => {
      const pair = ecPairOf(Buffer.concat([Buffer.of(1), Buffer.from(bytes).subarray(1)]))
      const signature = sign(pair, { hashName: 'SHA256', hash: hashOf('SHA256', bytes), data: null, mode: null })
      const key = { key: publicOf(pair), dsaEncoding: 'der' } as const
      expect(nodeVerify('SHA256', bytes, key, signature)).toBe(true)
      const input: ToSign = { hashName: 'SHA256', hash: hashOf('SHA256', bytes), data: null, mode: null }
      expect(verify(pair, input, signature)).toBe(true)
      signature[at % signature.length]! ^= 1 << (at % 8)
      expect(verify(pair, input, signature)).toBe(false)
      expect(nodeVerify('SHA256', bytes, key, signature)).toBe(false)
    }),
    { numRuns: 60 },
  )
})

it('no encoding is PSS with another separator, or with something in front of it', () => {
  const name = { hash: 'SHA256', mgf: 'SHA256' } as const
  const hash = hashOf('SHA256', data)
  const encoded = encodePss(name, hash, 2048)
  expect(isPss(name, hash, 2048, encoded)).toBe(true)
  // The mask of the block does not depend on the byte before the salt, and neither does the hash behind it.
  encoded[256 - 32 - 1 - 32 - 1]! ^= 3
  expect(isPss(name, hash, 2048, encoded)).toBe(false)

  const longer = encodePss(name, hash, 2049)
  expect([longer.length, longer[0], isPss(name, hash, 2049, longer)]).toEqual([257, 0, true])
  longer[0] = 1
  expect(isPss(name, hash, 2049, longer)).toBe(false)
})

it('a signature of which one bit is turned, or of another length, is none', () => {
  for (const [key, mode] of [
    [rsa, pkcs1],
    [rsa, pss('SHA256')],
    [odd, pss('SHA256')],
  ] as const) {
    const signature = sign(key, ofData('SHA256', mode))
    for (let bit = 0; bit < 64; bit += 1) {
      const turned = Buffer.from(signature)
      turned[(bit * 31) % turned.length]! ^= 1 << (bit % 8)
      expect(verify(key, ofData('SHA256', mode), turned)).toBe(false)
    }
    for (const wrong of [Buffer.alloc(0), signature.subarray(1), Buffer.concat([Buffer.alloc(1), signature])]) {
      expect(verify(key, ofData('SHA256', mode), wrong)).toBe(false)
    }
  }
})

it.each([Buffer.alloc(0), Buffer.of(0x30, 0), hex('3006020100020100'), hex('3006020101020100'), randomBytes(70)])(
  'ECDSA takes no other bytes for a signature (%#)',
  (bytes) => expect(verify(ec, ofHash('SHA256', null), bytes)).toBe(false),
)

describe('what does not fit is refused:', () => {
  const both = { ...ofHash('SHA256', null), data }
  const neither = { ...ofHash('SHA256', null), hash: null }
  const short = { ...ofHash('SHA256', null), hash: Buffer.alloc(20) }
  it.each([
    ['hash and data', both],
    ['neither hash nor data', neither],
    ['a hash of another length', short],
    ['a hash of another kind', { ...ofHash('SHA384', null), hashName: 'SHA512' as const }],
  ])('%s', (_, input) => {
    for (const key of [rsa, ec]) {
      expect(() => sign(key, input)).toThrow(refusal('CRYPTO_INPUT_INVALID'))
      expect(() => verify(key, input, Buffer.alloc(256))).toThrow(refusal('CRYPTO_INPUT_INVALID'))
    }
  })

  it('a mode for EC', () => {
    expect(() => sign(ec, ofData('SHA256', pkcs1))).toThrow(refusal('CRYPTO_INPUT_INVALID'))
  })

  it('a signature with a symmetric key', async () => {
    const aes = await generateKey({ kind: 'AES', sizeBits: 256, curve: null })
    const key = { ...aes, secret: aes.secret ?? Buffer.alloc(0) }
    expect(() => sign(key, ofData('SHA256', null))).toThrow(refusal('CRYPTO_INPUT_INVALID'))
  })
})
