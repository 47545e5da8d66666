import { createECDH, createPrivateKey } from 'node:crypto'
import { importKey } from '../../src/custody/crypto/import.ts'
import type { KeyMaterial } from '../../src/custody/crypto/key-material.ts'

export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** Both halves of a pair. */
export type Pair = KeyMaterial & { readonly secret: Buffer; readonly publicKey: Buffer }

export const isPair = (material: KeyMaterial): material is Pair =>
  material.secret !== null && material.publicKey !== null

/** The pair of a private number of P-256. */
export function ecPairOf(number: Buffer): Pair {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(number)
  const point = curve.getPublicKey()
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((bytes) => bytes.toString('base64url'))
  const jwk = { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '', d: number.toString('base64url') }
  const der = createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'sec1', format: 'der' })
  const material = importKey('EC', der)
  if (!isPair(material)) throw new Error('no pair')
  return material
}
