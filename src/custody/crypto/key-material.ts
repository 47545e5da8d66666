import type { KeyKind } from '../../store/schema-custody.ts'

export const curves = ['NistP256'] as const
export type Curve = (typeof curves)[number]

/** What kind of key, and how large. */
export interface KeyShape {
  readonly kind: KeyKind
  /** In bits. Null for EC, whose size is the curve's. */
  readonly sizeBits: number | null
  readonly curve: Curve | null
}

/** A key and its bytes, in memory only. */
export interface KeyMaterial extends KeyShape {
  /** A symmetric key's bytes, or the private key as DER PKCS#8; null where only the public half is there. */
  readonly secret: Buffer | null
  /** DER SubjectPublicKeyInfo; null for a symmetric key. */
  readonly publicKey: Buffer | null
}
