import { seal, unseal } from '../../config/secrets.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { KeyRow } from '../../store/fortanix-keys.ts'
import { refuse } from '../crypto/refuse.ts'
import type { Curve, KeyMaterial } from '../crypto/key-material.ts'

/** The columns that a key's bytes are kept in. */
export function columnsOf(ctx: Ctx, { kind, sizeBits, curve, secret, publicKey }: KeyMaterial) {
  return {
    kind,
    size_bits: sizeBits,
    curve,
    material: secret === null ? null : seal(ctx.keys.atRest, secret),
    public_key: publicKey,
  }
}

export function materialOf(ctx: Ctx, key: KeyRow): KeyMaterial {
  return {
    kind: key.kind,
    sizeBits: key.size_bits,
    curve: key.curve as Curve | null,
    secret: key.material === null ? null : unseal(ctx.keys.atRest, key.material),
    publicKey: key.public_key === null ? null : Buffer.from(key.public_key),
  }
}

/** @throws AppError KEY_WITHOUT_MATERIAL */
export function withSecret(material: KeyMaterial): KeyMaterial & { readonly secret: Buffer } {
  const { secret } = material
  if (secret === null) throw new AppError('KEY_WITHOUT_MATERIAL')
  return { ...material, secret }
}

/** @throws AppError KEY_WITHOUT_MATERIAL */
export function withPublicKey(material: KeyMaterial): KeyMaterial & { readonly publicKey: Buffer } {
  const { publicKey } = material
  if (publicKey === null) throw new AppError('KEY_WITHOUT_MATERIAL')
  return { ...material, publicKey }
}

/** @throws AppError CRYPTO_INPUT_INVALID for a key of another kind than the caller says or the operation needs */
export function requireKind({ kind }: Pick<KeyMaterial, 'kind'>, kinds: readonly KeyMaterial['kind'][]): void {
  if (!kinds.includes(kind)) refuse(`A key of obj_type ${kind} does not do this.`)
}
