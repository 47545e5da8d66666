import type { Ctx } from '../../context.ts'
import { lockKey, useKey, type KeyName, type KeyRow } from '../../store/fortanix-keys.ts'
import type { KeyKind } from '../../store/schema-custody.ts'
import { requireMember } from '../account-rights.ts'
import type { AppPermission } from '../app.ts'
import type { KeyMaterial } from '../crypto/key-material.ts'
import type { KeyOperation } from '../keys/key-operations.ts'
import { materialOf, requireKind } from '../keys/stored-key.ts'
import { tellKey } from '../keys/tell-key.ts'
import type { Checked, Operation } from '../perform.ts'
import { requireKeyRight, requireVisibleKey } from '../rights.ts'

/** One way of using a key. */
interface Use<Input, Output> {
  readonly operation: KeyOperation & AppPermission
  readonly kinds: readonly KeyKind[]
  readonly isSensitive: boolean
  readonly leaf: 'key.used' | 'key.exported'
  /** @throws AppError when what is given does not fit the key */
  readonly act: (material: KeyMaterial, input: Input, key: KeyRow) => Output
}

interface OfKey {
  readonly key: KeyName
}

export type Used<Output> = Output & { readonly keyId: string }

/** Uses a key, which counts: what it refuses is not counted (contract fortanix §6). */
export function keyUse<Input extends OfKey, Output extends object>(
  use: Use<Input, Output>,
): Operation<Input, Used<Output>> {
  const { operation, kinds, isSensitive, leaf, act } = use
  return {
    async check(_ctx, tx, caller, { key: name }) {
      const member = await requireMember(tx, caller)
      // From here on it stays in its group, whose policy is asked for next.
      const key = await requireVisibleKey(tx, member, await lockKey(tx, member.orgId, name))
      await requireKeyRight(tx, member, key, operation)
      requireKind(key, kinds)
      return { ...touchingKey(key, 'crypto'), isSensitive }
    },

    async run(ctx: Ctx, tx, caller, input) {
      const member = await requireMember(tx, caller)
      const at = ctx.clock.now()
      const key = await requireVisibleKey(tx, member, await useKey(tx, member.orgId, input.key, at))
      await requireKeyRight(tx, member, key, operation)
      const output = act(materialOf(ctx, key), input, key)
      await tellKey(ctx, tx, member, key, { kind: leaf, at, facts: { operation, group: key.group_id } })
      return { ...output, keyId: key.id }
    },
  }
}

/** What an operation on a key touches. */
export function touchingKey(
  { org_id: orgId, id, group_id: groupId }: KeyRow,
  ...concerns: readonly Checked['groups'][number]['concern'][]
): Checked {
  return {
    orgId,
    subjects: [
      { kind: 'key', id },
      { kind: 'group', id: groupId },
    ],
    account: [],
    groups: concerns.map((concern) => ({ id: groupId, concern })),
    isSensitive: false,
  }
}
