import { createPrivateKey, type KeyObject } from 'node:crypto'

/** The Ed25519 key with these 32 secret bytes (RFC 8032). */
export function ed25519FromSeed(seed: Uint8Array): KeyObject {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' })
}
