import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decryptAes, encryptAes, type AesMode } from '../../../src/custody/crypto/aes.ts'
import { mac } from '../../../src/custody/crypto/mac.ts'
import { hex } from '../../helpers/keys.ts'

const gcm = { mode: 'GCM', ad: null, tagBits: null } as const
const cbc = { mode: 'CBC', ad: null, tagBits: null } as const
const refusal = (code: string) => expect.objectContaining({ code }) as Error

describe('AES in GCM', () => {
  const iv = hex('cafebabefacedbaddecaf888')
  const ad = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2')
  const plain = hex(`d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39`)

  // McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, cases 4 and 16.
  it.each([
    {
      key: 'feffe9928665731c6d6a8f9467308308',
      cipher: `42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e
        21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091`,
      tag: '5bc94fbc3221a5db94fae95ae7121a47',
    },
    {
      key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
      cipher: `522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
        8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662`,
      tag: '76fc6ece0f4e1768cddf8853bb2d551b',
    },
  ])('gives the published text and tag under $key', ({ key, cipher, tag }) => {
    expect(encryptAes(hex(key), { ...gcm, plain, iv, ad })).toEqual({ cipher: hex(cipher), iv, tag: hex(tag) })
    for (const bits of [32, 64, 96, 104, 112, 120]) {
      const cut = encryptAes(hex(key), { ...gcm, plain, iv, ad, tagBits: bits })
      expect(cut.tag).toEqual(hex(tag).subarray(0, bits / 8))
      expect(decryptAes(hex(key), { mode: 'GCM', cipher: cut.cipher, iv, ad, tag: cut.tag })).toEqual(plain)
    }
  })

  it('makes 12 bytes of its own where none are given, never the same', () => {
    const ivs = Array.from({ length: 100 }, () => encryptAes(randomBytes(16), { ...gcm, plain, iv: null }).iv)
    expect(ivs.every((made) => made?.length === 12)).toBe(true)
    expect(new Set(ivs.map((made) => made?.toString('hex'))).size).toBe(100)
  })

  it.each([
    ['an iv of 11 bytes', { iv: randomBytes(11) }],
    ['an iv of 16 bytes', { iv: randomBytes(16) }],
    ['a tag of 40 bits', { tagBits: 40 }],
    ['a tag of 0 bits', { tagBits: 0 }],
    ['a tag of 136 bits', { tagBits: 136 }],
  ])('refuses %s', (_, wrong) => {
    expect(() => encryptAes(randomBytes(32), { ...gcm, plain, iv: null, ...wrong })).toThrow(
      refusal('CRYPTO_INPUT_INVALID'),
    )
  })

  it.each([
    ['without iv', { iv: null }],
    ['without tag', { tag: null }],
    ['with a tag of 5 bytes', { tag: Buffer.alloc(5) }],
    ['with an empty tag', { tag: Buffer.alloc(0) }],
  ])('opens nothing %s', (_, wrong) => {
    const key = randomBytes(32)
    const { cipher, iv: made, tag } = encryptAes(key, { ...gcm, plain, iv: null })
    expect(() => decryptAes(key, { mode: 'GCM', cipher, iv: made, ad: null, tag, ...wrong })).toThrow(
      refusal('CRYPTO_INPUT_INVALID'),
    )
  })
})

describe('AES in CBC', () => {
  // SP 800-38A, F.2.1 and F.2.5; the padding adds a block.
  const plain = hex(`6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
    30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710`)
  const iv = hex('000102030405060708090a0b0c0d0e0f')
  it.each([
    {
      key: '2b7e151628aed2a6abf7158809cf4f3c',
      cipher: `7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2
        73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7`,
    },
    {
      key: '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
      cipher: `f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d
        39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b`,
    },
  ])('gives the published text under $key', ({ key, cipher }) => {
    const made = encryptAes(hex(key), { ...cbc, plain, iv })
    expect([made.cipher.subarray(0, 64), made.cipher.length, made.tag]).toEqual([hex(cipher), 80, null])
    expect(decryptAes(hex(key), { mode: 'CBC', cipher: made.cipher, iv, ad: null, tag: null })).toEqual(plain)
  })

  it.each([
    ['an iv of 12 bytes', { iv: randomBytes(12) }],
    ['additional data', { ad: randomBytes(1) }],
    ['the length of a tag', { tagBits: 128 }],
  ])('refuses %s', (_, wrong) => {
    expect(() => encryptAes(randomBytes(16), { ...cbc, plain, iv: null, ...wrong })).toThrow(
      refusal('CRYPTO_INPUT_INVALID'),
    )
  })

  it.each([
    ['a tag', { tag: randomBytes(16) }],
    ['half a block', { cipher: randomBytes(24) }],
    ['nothing', { cipher: Buffer.alloc(0) }],
  ])('does not open %s', (_, wrong) => {
    const sent = { mode: 'CBC', cipher: randomBytes(16), iv, ad: null, tag: null, ...wrong } as const
    expect(() => decryptAes(randomBytes(16), sent)).toThrow(refusal('CRYPTO_INPUT_INVALID'))
  })
})

describe('AES', () => {
  const bytes = (least: number, most: number) =>
    fc.uint8Array({ minLength: least, maxLength: most }).map((array) => Buffer.from(array))
  const key = fc.constantFrom(16, 24, 32).chain((length) => bytes(length, length))

  it('opens what it encrypted, whatever it was', () => {
    fc.assert(
      fc.property(key, bytes(0, 100), bytes(0, 20), fc.constantFrom<AesMode>('GCM', 'CBC'), (k, plain, text, mode) => {
        const ad = mode === 'GCM' ? text : null
        const { cipher, iv, tag } = encryptAes(k, { mode, plain, iv: null, ad, tagBits: null })
        expect(decryptAes(k, { mode, cipher, iv, ad, tag })).toEqual(plain)
      }),
    )
  })

  it('in GCM refuses text, tag, iv and additional data of which one bit is turned', () => {
    fc.assert(
      fc.property(key, bytes(1, 50), bytes(1, 20), fc.nat(), fc.nat(3), (k, plain, ad, at, which) => {
        const { cipher, iv, tag } = encryptAes(k, { ...gcm, plain, ad, iv: null })
        const sent = [cipher, iv, tag, ad].map((part) => Buffer.from(part ?? []))
        const turned = sent[which]!
        turned[at % turned.length]! ^= 1 << (at % 8)
        const [c, i, t, d] = sent as [Buffer, Buffer, Buffer, Buffer]
        expect(() => decryptAes(k, { mode: 'GCM', cipher: c, iv: i, tag: t, ad: d })).toThrow(
          refusal('CIPHER_NOT_GENUINE'),
        )
      }),
    )
  })

  it('in CBC never opens text with wrong padding', () => {
    const k = randomBytes(16)
    const { cipher, iv } = encryptAes(k, { ...cbc, plain: Buffer.alloc(16), iv: null })
    cipher[15]! ^= 0xff
    expect(() => decryptAes(k, { mode: 'CBC', cipher, iv, ad: null, tag: null })).toThrow(refusal('CIPHER_NOT_GENUINE'))
  })
})

// RFC 4231 §4.3.
it.each([
  ['SHA256', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  ['SHA384', 'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649'],
  [
    'SHA512',
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  ],
] as const)('a code with %s is the published one', (name, expected) => {
  expect(mac(Buffer.from('Jefe'), name, Buffer.from('what do ya want for nothing?'))).toEqual(hex(expected))
})
