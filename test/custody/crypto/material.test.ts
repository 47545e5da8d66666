import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  privateDecrypt,
  randomBytes,
} from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { exportKey } from '../../../src/custody/crypto/export.ts'
import { generateKey } from '../../../src/custody/crypto/generate.ts'
import { maskHashNames } from '../../../src/custody/crypto/hashes.ts'
import { importKey } from '../../../src/custody/crypto/import.ts'
import type { KeyShape } from '../../../src/custody/crypto/key-material.ts'
import { decryptOaep, encryptOaep } from '../../../src/custody/crypto/rsa-oaep.ts'

const refusal = (code: string) => expect.objectContaining({ code }) as Error
const shapes: readonly KeyShape[] = [
  { kind: 'AES', sizeBits: 128, curve: null },
  { kind: 'AES', sizeBits: 192, curve: null },
  { kind: 'AES', sizeBits: 256, curve: null },
  { kind: 'HMAC', sizeBits: 112, curve: null },
  { kind: 'HMAC', sizeBits: 8192, curve: null },
  { kind: 'RSA', sizeBits: 2048, curve: null },
  { kind: 'EC', sizeBits: null, curve: 'NistP256' },
]

it.each(shapes)('a key of $kind $sizeBits leaves and comes back as it was', async (shape) => {
  const key = await generateKey(shape)
  expect(key).toMatchObject(shape)
  expect(importKey(shape.kind, exportKey(key))).toEqual(key)
  expect((await generateKey(shape)).secret).not.toEqual(key.secret)
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

it('RSA comes as PKCS#8 or PKCS#1, EC as PKCS#8 or SEC 1, and RSA leaves as PKCS#1', () => {
  const pkcs1 = rsa.privateKey.export({ type: 'pkcs1', format: 'der' })
  const spki = rsa.publicKey.export({ type: 'spki', format: 'der' })
  for (const der of [pkcs1, rsa.privateKey.export({ type: 'pkcs8', format: 'der' })]) {
    const key = importKey('RSA', der)
    expect([key.sizeBits, key.publicKey, exportKey(key)]).toEqual([2048, spki, pkcs1])
  }
  const pkcs8 = ec.privateKey.export({ type: 'pkcs8', format: 'der' })
  for (const der of [pkcs8, ec.privateKey.export({ type: 'sec1', format: 'der' })]) {
    expect(exportKey(importKey('EC', der))).toEqual(pkcs8)
  }
})

it('a public key comes alone', () => {
  const spki = rsa.publicKey.export({ type: 'spki', format: 'der' })
  for (const der of [spki, rsa.publicKey.export({ type: 'pkcs1', format: 'der' })]) {
    expect(importKey('RSA', der)).toMatchObject({ secret: null, publicKey: spki })
  }
  expect(importKey('EC', ec.publicKey.export({ type: 'spki', format: 'der' })).secret).toBe(null)
})

describe('no key comes of', () => {
  const derOf = (name: 'ed25519' | 'p384' | 'exponent' | 'small') => {
    const pairs = {
      ed25519: () => generateKeyPairSync('ed25519'),
      p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      exponent: () => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
      small: () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
    }
    return pairs[name]().privateKey.export({ type: 'pkcs8', format: 'der' })
  }
  it.each([
    ['noise', 'RSA', randomBytes(100), 'KEY_MATERIAL_INVALID'],
    ['nothing', 'EC', Buffer.alloc(0), 'KEY_MATERIAL_INVALID'],
    [
      'an EC key that is said to be RSA',
      'RSA',
      ec.privateKey.export({ type: 'pkcs8', format: 'der' }),
      'KEY_MATERIAL_INVALID',
    ],
    ['another curve', 'EC', derOf('p384'), 'KEY_MATERIAL_INVALID'],
    ['another algorithm', 'EC', derOf('ed25519'), 'KEY_MATERIAL_INVALID'],
    ['another exponent', 'RSA', derOf('exponent'), 'KEY_MATERIAL_INVALID'],
    ['too small a modulus', 'RSA', derOf('small'), 'CRYPTO_INPUT_INVALID'],
    ['AES of 17 bytes', 'AES', randomBytes(17), 'CRYPTO_INPUT_INVALID'],
    ['HMAC of 13 bytes', 'HMAC', randomBytes(13), 'CRYPTO_INPUT_INVALID'],
    ['HMAC of 1025 bytes', 'HMAC', randomBytes(1025), 'CRYPTO_INPUT_INVALID'],
  ] as const)('%s', (_, kind, bytes, code) => {
    expect(() => importKey(kind, bytes)).toThrow(refusal(code))
  })
})

it.each<KeyShape>([
  { kind: 'AES', sizeBits: 512, curve: null },
  { kind: 'AES', sizeBits: null, curve: null },
  { kind: 'AES', sizeBits: 256, curve: 'NistP256' },
  { kind: 'HMAC', sizeBits: 104, curve: null },
  { kind: 'HMAC', sizeBits: 113, curve: null },
  { kind: 'HMAC', sizeBits: 8200, curve: null },
  { kind: 'RSA', sizeBits: 1024, curve: null },
  { kind: 'RSA', sizeBits: 16_384, curve: null },
  { kind: 'EC', sizeBits: 256, curve: null },
])('no key is made of $kind $sizeBits $curve', async (shape) => {
  await expect(generateKey(shape)).rejects.toThrow(refusal('CRYPTO_INPUT_INVALID'))
})

it.each(maskHashNames)('OpenSSL opens what RSA-OAEP encrypted with %s', (name) => {
  const spki = rsa.publicKey.export({ type: 'spki', format: 'der' })
  const key = { key: rsa.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: name.toLowerCase() }
  expect(privateDecrypt(key, encryptOaep(spki, name, Buffer.from('text'))).toString()).toBe('text')
})

it('RSA-OAEP opens what it encrypted, and nothing else', () => {
  const spki = rsa.publicKey.export({ type: 'spki', format: 'der' })
  const pkcs8 = rsa.privateKey.export({ type: 'pkcs8', format: 'der' })
  const cipher = encryptOaep(spki, 'SHA256', Buffer.from('text'))
  expect(decryptOaep(pkcs8, 'SHA256', cipher).toString()).toBe('text')
  expect(() => decryptOaep(pkcs8, 'SHA512', cipher)).toThrow(refusal('CIPHER_NOT_GENUINE'))
  expect(() => decryptOaep(pkcs8, 'SHA256', Buffer.alloc(3))).toThrow(refusal('CIPHER_NOT_GENUINE'))
  expect(() => encryptOaep(spki, 'SHA256', Buffer.alloc(191))).toThrow(refusal('CRYPTO_INPUT_INVALID'))
})

it('what leaves is what OpenSSL reads', async () => {
  const key = await generateKey({ kind: 'EC', sizeBits: null, curve: 'NistP256' })
  const read = createPrivateKey({ key: exportKey(key), format: 'der', type: 'pkcs8' })
  expect(createPublicKey(read).export({ type: 'spki', format: 'der' })).toEqual(key.publicKey)
})
