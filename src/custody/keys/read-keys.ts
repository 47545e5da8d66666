import type { Ctx } from '../../context.ts'
import { findKey, listKeys as findKeys, type KeyName, type KeyRow, type KeySlice } from '../../store/fortanix-keys.ts'
import { requireMember } from '../account-rights.ts'
import type { CustodyCaller } from '../caller.ts'
import { verify, type ToSign } from '../crypto/sign.ts'
import { visibleGroups } from '../group-rights.ts'
import { requireKeyRight, requireVisibleKey } from '../rights.ts'
import { materialOf, requireKind, withPublicKey } from './stored-key.ts'

/** @throws AppError KEY_NOT_FOUND, and as `requireMember` does */
export async function readKey(ctx: Ctx, caller: CustodyCaller, name: KeyName): Promise<KeyRow> {
  const member = await requireMember(ctx.db, caller)
  return await requireVisibleKey(ctx.db, member, await findKey(ctx.db, member.orgId, name))
}

/** Those of the groups that the caller sees. @throws AppError as `requireMember` does */
export async function listKeys(ctx: Ctx, caller: CustodyCaller, slice: KeySlice): Promise<KeyRow[]> {
  const member = await requireMember(ctx.db, caller)
  return await findKeys(ctx.db, member.orgId, await visibleGroups(ctx.db, member), slice)
}

export interface ToVerify extends ToSign {
  readonly key: KeyName
  readonly signature: Buffer
}

export interface Verified {
  readonly keyId: string
  readonly isValid: boolean
}

/** Needs no secret, changes nothing, and is never protected. @throws AppError as `requireKeyRight`, CRYPTO_INPUT_INVALID */
export async function verifyWithKey(ctx: Ctx, caller: CustodyCaller, input: ToVerify): Promise<Verified> {
  const member = await requireMember(ctx.db, caller)
  const key = await requireVisibleKey(ctx.db, member, await findKey(ctx.db, member.orgId, input.key))
  await requireKeyRight(ctx.db, member, key, 'VERIFY')
  requireKind(key, ['RSA', 'EC'])
  const isValid = verify(withPublicKey(materialOf(ctx, key)), input, input.signature)
  return { keyId: key.id, isValid }
}
