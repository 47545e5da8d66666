import { createCipheriv, createDecipheriv, randomBytes, type CipherGCMTypes } from 'node:crypto'
import { AppError } from '../../errors.ts'
import { refuse } from './refuse.ts'

export type AesMode = 'GCM' | 'CBC'

export interface AesPlain {
  readonly mode: AesMode
  readonly plain: Buffer
  /** Null for one that is made at random. */
  readonly iv: Buffer | null
  /** With GCM: vouched for, and not encrypted. */
  readonly ad: Buffer | null
  /** With GCM, in bits; null for 128. */
  readonly tagBits: number | null
}

export interface Encrypted {
  readonly cipher: Buffer
  /** Null where the algorithm has none. */
  readonly iv: Buffer | null
  readonly tag: Buffer | null
}

export interface AesCipher {
  readonly mode: AesMode
  readonly cipher: Buffer
  readonly iv: Buffer | null
  readonly ad: Buffer | null
  readonly tag: Buffer | null
}

const ivBytes: Readonly<Record<AesMode, number>> = { GCM: 12, CBC: 16 }

/** The lengths that SP 800-38D §5.2.1.2 and appendix C know, in bits. */
const tagLengths = [32, 64, 96, 104, 112, 120, 128]

/** GCM (SP 800-38D), or CBC with the padding of PKCS #7. @throws AppError CRYPTO_INPUT_INVALID */
export function encryptAes(key: Buffer, { mode, plain, iv: given, ad, tagBits }: AesPlain): Encrypted {
  const iv = given === null ? randomBytes(ivBytes[mode]) : requireIv(mode, given)
  if (mode === 'CBC') {
    if (ad !== null || tagBits !== null) refuse('ad and tag_len are for mode GCM.')
    const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, iv)
    return { cipher: Buffer.concat([cipher.update(plain), cipher.final()]), iv, tag: null }
  }
  const authTagLength = requireTagBits(tagBits ?? 128) / 8
  const cipher = createCipheriv(gcm(key), key, iv, { authTagLength }).setAAD(ad ?? Buffer.alloc(0))
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  return { cipher: text, iv, tag: cipher.getAuthTag() }
}

/** @throws AppError CRYPTO_INPUT_INVALID, CIPHER_NOT_GENUINE */
export function decryptAes(key: Buffer, { mode, cipher, iv: given, ad, tag }: AesCipher): Buffer {
  if (given === null) refuse('iv is needed.')
  const iv = requireIv(mode, given)
  if (mode === 'CBC') {
    if (ad !== null || tag !== null) refuse('ad and tag are for mode GCM.')
    if (cipher.length === 0 || cipher.length % 16 !== 0) refuse('cipher must be of whole blocks of 16 bytes.')
    return opened(() => {
      const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, iv)
      return Buffer.concat([decipher.update(cipher), decipher.final()])
    })
  }
  if (tag === null) refuse('tag is needed.')
  const authTagLength = requireTagBits(tag.length * 8, 'tag') / 8
  return opened(() => {
    const decipher = createDecipheriv(gcm(key), key, iv, { authTagLength })
    decipher.setAAD(ad ?? Buffer.alloc(0)).setAuthTag(tag)
    return Buffer.concat([decipher.update(cipher), decipher.final()])
  })
}

const gcm = (key: Buffer): CipherGCMTypes => `aes-${key.length * 8}-gcm` as CipherGCMTypes

function requireIv(mode: AesMode, iv: Buffer): Buffer {
  if (iv.length !== ivBytes[mode]) refuse(`iv must be of ${ivBytes[mode]} bytes for mode ${mode}.`)
  return iv
}

function requireTagBits(bits: number, member = 'tag_len'): number {
  if (!tagLengths.includes(bits)) refuse(`${member} must be of ${tagLengths.join(', ')} bits.`)
  return bits
}

function opened(decipher: () => Buffer): Buffer {
  try {
    return decipher()
  } catch (cause) {
    throw new AppError('CIPHER_NOT_GENUINE', undefined, { cause })
  }
}
