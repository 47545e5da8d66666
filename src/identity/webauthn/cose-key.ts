import { createPublicKey, type KeyObject } from 'node:crypto'
import { webauthnHelpers } from './library.ts'

/** A public key on P-256 from its COSE form (RFC 9053, section 7.1); null for a key of another kind. */
export async function p256KeyOf(bytes: Uint8Array): Promise<KeyObject | null> {
  const { decodeCredentialPublicKey, cose } = await webauthnHelpers()
  const decoded: { get(name: number): unknown } = decodeCredentialPublicKey(Uint8Array.from(bytes))
  const { kty, crv, x, y } = cose.COSEKEYS
  const isP256 = decoded.get(kty) === cose.COSEKTY.EC2 && decoded.get(crv) === cose.COSECRV.P256
  const [one, other] = [decoded.get(x), decoded.get(y)]
  if (!isP256 || !(one instanceof Uint8Array) || !(other instanceof Uint8Array)) return null
  try {
    const jwk = { kty: 'EC', crv: 'P-256', x: base64url(one), y: base64url(other) }
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    // Not a point of the curve.
    return null
  }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
