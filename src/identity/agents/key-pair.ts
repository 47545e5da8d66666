import { createHash, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'

const newKeyPair = promisify(generateKeyPair)
const keyOptions = {
  modulusLength: 4096,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const

/** A key pair of an agent (contract §6.6): about a second's work, off the event loop. The private half is never stored. */
export async function newAgentKeyPair(): Promise<{ readonly publicKey: string; readonly privateKey: string }> {
  return await newKeyPair('rsa', keyOptions)
}

/** How an audit leaf names a public key. */
export function publicKeyDigest(pem: string): string {
  return createHash('sha256').update(pem).digest('hex')
}
