import { seal, unseal } from '../../config/secrets.ts'
import { secretHmac } from '../../audit/leaf-hmac.ts'
import type { Ctx } from '../../context.ts'

/** @param value undefined for none */
export function sealJson({ keys }: Pick<Ctx, 'keys'>, value: unknown): Buffer | null {
  return value === undefined ? null : seal(keys.atRest, Buffer.from(JSON.stringify(value)))
}

/** What a leaf says of a value that is kept sealed, which may be a secret; null for none. */
export function jsonHmac({ keys }: Pick<Ctx, 'keys'>, value: unknown): string | null {
  return value === undefined ? null : secretHmac(keys.atRest.held, JSON.stringify(value))
}

/** @returns undefined for none */
export function openJson({ keys }: Pick<Ctx, 'keys'>, sealed: Uint8Array | null): unknown {
  return sealed === null ? undefined : (JSON.parse(unseal(keys.atRest, sealed).toString()) as unknown)
}
