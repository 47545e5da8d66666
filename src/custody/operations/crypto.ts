import type { KeyName, KeyRow } from '../../store/fortanix-keys.ts'
import type { KeyKind } from '../../store/schema-custody.ts'
import { decryptAes, encryptAes, type AesCipher, type AesPlain, type Encrypted } from '../crypto/aes.ts'
import { exportKey } from '../crypto/export.ts'
import type { HashName, MaskHashName } from '../crypto/hashes.ts'
import { mac } from '../crypto/mac.ts'
import { refuse } from '../crypto/refuse.ts'
import { decryptOaep, encryptOaep } from '../crypto/rsa-oaep.ts'
import { sign, type ToSign } from '../crypto/sign.ts'
import { requireKind, withPublicKey, withSecret } from '../keys/stored-key.ts'
import { keyUse } from './use-key.ts'

interface OfKey {
  readonly key: KeyName
}

export const signOperation = keyUse({
  operation: 'SIGN',
  kinds: ['RSA', 'EC'],
  isSensitive: false,
  leaf: 'key.used',
  act: (material, input: OfKey & ToSign) => ({ signature: sign(withSecret(material), input) }),
})

/** How it is encrypted: RSA-OAEP with a hash, or AES in a mode. Null where the caller does not say. */
export type CryptMode = AesPlain['mode'] | { readonly oaep: MaskHashName } | null

export interface ToEncrypt extends OfKey, Omit<AesPlain, 'mode'> {
  readonly alg: KeyKind
  readonly mode: CryptMode
}

export const encryptOperation = keyUse({
  operation: 'ENCRYPT',
  kinds: ['AES', 'RSA'],
  isSensitive: false,
  leaf: 'key.used',
  act(material, { alg, mode, plain, iv, ad, tagBits }: ToEncrypt): Encrypted {
    requireKind(material, [alg])
    if (material.kind === 'AES') {
      return encryptAes(withSecret(material).secret, { mode: aesModeOf(mode), plain, iv, ad, tagBits })
    }
    if (iv !== null || ad !== null || tagBits !== null) refuse('iv, ad and tag_len are for keys of obj_type AES.')
    const cipher = encryptOaep(withPublicKey(material).publicKey, oaepHashOf(mode), plain)
    return { cipher, iv: null, tag: null }
  },
})

export interface ToDecrypt extends OfKey, Omit<AesCipher, 'mode'> {
  readonly alg: KeyKind | null
  readonly mode: CryptMode
}

export const decryptOperation = keyUse({
  operation: 'DECRYPT',
  kinds: ['AES', 'RSA'],
  isSensitive: true,
  leaf: 'key.used',
  act(material, { alg, mode, cipher, iv, ad, tag }: ToDecrypt): { readonly plain: Buffer } {
    if (alg !== null) requireKind(material, [alg])
    const { secret } = withSecret(material)
    if (material.kind === 'AES') return { plain: decryptAes(secret, { mode: aesModeOf(mode), cipher, iv, ad, tag }) }
    if (iv !== null || ad !== null || tag !== null) refuse('iv, ad and tag are for keys of obj_type AES.')
    return { plain: decryptOaep(secret, oaepHashOf(mode), cipher) }
  },
})

function aesModeOf(mode: CryptMode): AesPlain['mode'] {
  if (mode === null || typeof mode === 'object') refuse('mode must be GCM or CBC for keys of obj_type AES.')
  return mode
}

function oaepHashOf(mode: CryptMode): MaskHashName {
  if (mode === null) return 'SHA256'
  if (typeof mode === 'string') refuse('mode must be OAEP for keys of obj_type RSA.')
  return mode.oaep
}

export interface ToMac extends OfKey {
  readonly hashName: HashName
  readonly data: Buffer
}

export const macOperation = keyUse({
  operation: 'MACGENERATE',
  kinds: ['HMAC'],
  isSensitive: false,
  leaf: 'key.used',
  act: (material, { hashName, data }: ToMac) => ({ mac: mac(withSecret(material).secret, hashName, data) }),
})

/** A key and its bytes, in the form in which it leaves. */
export interface ExportedKey {
  readonly row: KeyRow
  readonly value: Buffer
}

export const exportKeyOperation = keyUse({
  operation: 'EXPORT',
  kinds: ['AES', 'HMAC', 'RSA', 'EC'],
  isSensitive: true,
  leaf: 'key.exported',
  act(material, _input: OfKey, row): ExportedKey {
    if (material.secret === null && material.publicKey === null) withSecret(material)
    return { row, value: exportKey(material) }
  },
})
