import { createSign, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { SignJWT } from 'jose'

const generate = promisify(generateKeyPair)

/** Shorter than what agents are given, which would take a second each. */
export const newKeyPair = async (modulusLength = 2048) => await generate('rsa', { modulusLength })

export const pemOf = (publicKey: KeyObject): string => publicKey.export({ type: 'spki', format: 'pem' }) as string

/** Signs what a test has bent, claims and header alike; a member that is undefined is left out. */
export async function sign(
  key: KeyObject | Uint8Array,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', ...header }).sign(key)
}

export const proofHeader = { typ: 'dpop+jwt' }

/** Signs, with RS256, a header and claims that no library would write. */
export function signedText(key: KeyObject, header: string, claims: string | Buffer): string {
  const input = [header, claims].map((part) => Buffer.from(part).toString('base64url')).join('.')
  return `${input}.${createSign('RSA-SHA256').update(input).sign(key, 'base64url')}`
}
