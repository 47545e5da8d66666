import type { ToVerify, Verified } from '../../../custody/keys/read-keys.ts'
import { hashNames, maskHashNames, type HashName, type MaskHashName } from '../../../custody/crypto/hashes.ts'
import type { SignatureMode, ToSign } from '../../../custody/crypto/sign.ts'
import type { Encrypted } from '../../../custody/crypto/aes.ts'
import type { CryptMode, ToDecrypt, ToEncrypt, ToMac } from '../../../custody/operations/crypto.ts'
import type { Used } from '../../../custody/operations/use-key.ts'
import type { KeyName } from '../../../store/fortanix-keys.ts'
import { readBody, type Members } from '../../shared/members.ts'
import { parseBytes, renderBytes } from './bytes.ts'

/** As long as a body may be. */
const maxText = 1_048_576

/** Base64; null when it is absent. */
export function bytesIn(members: Members, name: string): Buffer | null {
  const text = members.text(name, { max: maxText })
  return text === null ? null : (parseBytes(text) ?? members.complain(name, 'must be base64'))
}

function neededBytes(members: Members, name: string): Buffer {
  if (!members.has(name)) members.complain(name, 'is needed')
  return bytesIn(members, name) ?? Buffer.alloc(0)
}

/** `{kid}` or `{name}`. */
export function keyNameOf(members: Members): KeyName {
  const [id, name] = [members.uuid('kid'), members.text('name')]
  if ((id === null) === (name === null)) members.complain('kid', 'or a name is needed, and not both')
  return id === null ? { name: name ?? '' } : { id }
}

function keyIn(members: Members): KeyName {
  if (!members.has('key')) members.complain('key', 'is needed')
  return members.object('key', keyNameOf) ?? { name: '' }
}

function neededHash(members: Members, name: string): HashName {
  return neededChoice(members, name, hashNames) ?? 'SHA256'
}

function neededChoice<Choice extends string>(members: Members, name: string, among: readonly Choice[]): Choice | null {
  const chosen = members.choice(name, among)
  if (!members.has(name)) members.complain(name, 'is needed')
  return chosen
}

/** `{"mgf":{"mgf1":{"hash":"SHA256"}}}`. */
function mgfIn(members: Members): MaskHashName {
  const mgf = members.object('mgf', (inner) =>
    inner.object('mgf1', (mgf1) => neededChoice(mgf1, 'hash', maskHashNames) ?? 'SHA256'),
  )
  return mgf ?? members.complain('mgf', 'must be {"mgf1":{"hash":…}}') ?? 'SHA256'
}

/** Contract fortanix §10.5. */
function signatureModeIn(members: Members): SignatureMode | null {
  return members.object<SignatureMode>('mode', (mode) => {
    const mgf = mode.object('PSS', mgfIn)
    if (mgf === null && !mode.has('PKCS1_V15')) mode.complain('PSS', 'or PKCS1_V15 is needed')
    return mgf === null ? { kind: 'pkcs1' } : { kind: 'pss', mgf }
  })
}

const aesModes = ['GCM', 'CBC'] as const

/** `"GCM"`, `"CBC"` or `{"OAEP":{"mgf":…}}`. */
function cryptModeIn(members: Members): CryptMode {
  if (typeof members.raw('mode') === 'string') return members.choice('mode', aesModes)
  return members.object('mode', (mode) => {
    const oaep = mode.object('OAEP', mgfIn)
    return oaep === null ? mode.complain('OAEP', 'is needed') : { oaep }
  })
}

function toSign(members: Members): ToSign & { readonly key: KeyName } {
  // Said of the call itself, so that approval is not asked for one that could only fail.
  if (members.has('hash') === members.has('data')) members.complain('data', 'or a hash is needed, and not both')
  return {
    key: keyIn(members),
    hashName: neededHash(members, 'hash_alg'),
    hash: bytesIn(members, 'hash'),
    data: bytesIn(members, 'data'),
    mode: signatureModeIn(members),
  }
}

/** @throws AppError INVALID_MEMBER */
export function parseSign(body: unknown): ToSign & { readonly key: KeyName } {
  return readBody(body, toSign)
}

/** @throws AppError INVALID_MEMBER */
export function parseVerify(body: unknown): ToVerify {
  return readBody(body, (members) => ({ ...toSign(members), signature: neededBytes(members, 'signature') }))
}

/** @throws AppError INVALID_MEMBER */
export function parseEncrypt(body: unknown): ToEncrypt {
  return readBody(body, (members) => {
    const alg = members.choice('alg', ['AES', 'RSA'])
    if (!members.has('alg')) members.complain('alg', 'is needed')
    return {
      key: keyIn(members),
      alg: alg ?? 'AES',
      mode: cryptModeIn(members),
      plain: neededBytes(members, 'plain'),
      iv: bytesIn(members, 'iv'),
      ad: bytesIn(members, 'ad'),
      tagBits: members.integer('tag_len'),
    }
  })
}

/** @throws AppError INVALID_MEMBER */
export function parseDecrypt(body: unknown): ToDecrypt {
  return readBody(body, (members) => ({
    key: keyIn(members),
    alg: members.choice('alg', ['AES', 'RSA']),
    mode: cryptModeIn(members),
    cipher: neededBytes(members, 'cipher'),
    iv: bytesIn(members, 'iv'),
    ad: bytesIn(members, 'ad'),
    tag: bytesIn(members, 'tag'),
  }))
}

/** Without `alg` it is made with SHA-256. @throws AppError INVALID_MEMBER */
export function parseMac(body: unknown): ToMac {
  return readBody(body, (members) => ({
    key: keyIn(members),
    hashName: members.choice('alg', hashNames) ?? 'SHA256',
    data: neededBytes(members, 'data'),
  }))
}

export function renderSignature({ keyId, signature }: Used<{ readonly signature: Buffer }>): object {
  return { kid: keyId, signature: renderBytes(signature) }
}

export function renderVerified({ keyId, isValid }: Verified): object {
  return { kid: keyId, result: isValid }
}

export function renderEncrypted({ keyId, cipher, iv, tag }: Used<Encrypted>): object {
  return {
    kid: keyId,
    cipher: renderBytes(cipher),
    ...(iv !== null && { iv: renderBytes(iv) }),
    ...(tag !== null && { tag: renderBytes(tag) }),
  }
}

export function renderDecrypted({ keyId, plain }: Used<{ readonly plain: Buffer }>): object {
  return { kid: keyId, plain: renderBytes(plain) }
}

/** `digest` is the member that older clients look for. */
export function renderMac({ keyId, mac }: Used<{ readonly mac: Buffer }>): object {
  return { kid: keyId, digest: renderBytes(mac), mac: renderBytes(mac) }
}
