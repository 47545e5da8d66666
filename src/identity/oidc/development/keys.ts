import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { JWK } from 'oidc-provider'

/** An Ed25519 signing key as JWK, from 32 secret bytes: every process that has the bytes has the key. */
export function signingKeyOf(seed: Buffer): JWK {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  return { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', d: seed.toString('base64url'), x: x as string } as JWK
}

// What stands before the 32 bytes in PKCS#8 (RFC 8410 section 7).
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
