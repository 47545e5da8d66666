import * as crypto from 'node:crypto'
import { promisify } from 'node:util'

/**
 * A password as it is kept, as a PHC string: argon2id with 19 MiB, two passes and one lane (OWASP, Password Storage Cheat
 * Sheet), or scrypt with N 2^17, r 8, p 1 on a Node.js that has no argon2 (before 24.7).
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.randomBytes(saltBytes)
  return hasArgon2 ? await argon2Phc(password, salt) : await scryptPhc(password, salt)
}

/**
 * Whether it is the password. Null for the hash where there is none: that takes as long, so that nobody learns by the time
 * which names there are.
 * @throws Error on a hash that this process cannot compute
 */
export async function isPassword(password: string, hash: string | null): Promise<boolean> {
  if (hash === null) {
    await hashPassword(password)
    return false
  }
  // `$argon2id$v=19$m=…$salt$tag`; scrypt's has no version.
  const parts = hash.split('$')
  const again = await phcOf(parts[1] ?? '', password, Buffer.from(parts.at(-2) ?? '', 'base64'))
  return crypto.timingSafeEqual(digestOf(again), digestOf(hash))
}

const saltBytes = 16
const tagBytes = 32
const hasArgon2 = typeof (crypto as { readonly argon2?: unknown }).argon2 === 'function'

async function phcOf(algorithm: string, password: string, salt: Buffer): Promise<string> {
  if (algorithm === 'argon2id' && hasArgon2) return await argon2Phc(password, salt)
  if (algorithm === 'scrypt') return await scryptPhc(password, salt)
  throw new Error(`no ${algorithm} in this Node.js`)
}

async function argon2Phc(password: string, salt: Buffer): Promise<string> {
  const tag = await new Promise<Buffer>((resolve, reject) => {
    const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: tagBytes }
    const done = (error: Error | null, tag: Buffer) => (error === null ? resolve(tag) : reject(error))
    crypto.argon2('argon2id', { message: Buffer.from(password), nonce: salt, ...cost }, done)
  })
  return `$argon2id$v=19$m=19456,t=2,p=1$${unpadded(salt)}$${unpadded(tag)}`
}

const scrypt = promisify<string, Buffer, number, crypto.ScryptOptions, Buffer>(crypto.scrypt)

async function scryptPhc(password: string, salt: Buffer): Promise<string> {
  const tag = await scrypt(password, salt, tagBytes, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 })
  return `$scrypt$ln=17,r=8,p=1$${unpadded(salt)}$${unpadded(tag)}`
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

function digestOf(text: string): Buffer {
  return crypto.createHash('sha256').update(text).digest()
}
