import { createHash } from 'node:crypto'
import { appendLeaf } from '../../audit/append.ts'
import { secretHmac } from '../../audit/leaf-hmac.ts'
import type { Leaf } from '../../audit/leaf.ts'
import { unseal } from '../../config/secrets.ts'
import type { Ctx } from '../../context.ts'
import type { KeyRow } from '../../store/fortanix-keys.ts'
import type { Tx } from '../../store/open.ts'
import type { Member } from '../account-rights.ts'
import { leafActorOf } from '../caller.ts'

/** `at`: when it was done, as it is stored. */
type Told = Pick<Leaf, 'kind' | 'at' | 'facts' | 'privateText'>

/** Tells of a key in its account's log, never what it is made of. */
export async function tellKey(ctx: Ctx, tx: Tx, by: Member, key: KeyRow, told: Told): Promise<void> {
  const { orgId } = by
  await appendLeaf(ctx, tx, { orgId, subjectId: key.id, actor: leafActorOf(by), ...told })
}

/** What of a key is no name and no secret: of what it is made of a digest that nobody can guess it from. */
export function factsOf({ keys }: Pick<Ctx, 'keys'>, key: KeyRow): Readonly<Record<string, unknown>> {
  const { material, public_key: publicKey } = key
  return {
    group: key.group_id,
    keyKind: key.kind,
    size: key.size_bits,
    curve: key.curve,
    operations: key.operations,
    enabled: key.is_enabled,
    state: key.state,
    hasSecret: material !== null,
    secretHmac:
      material === null ? null : secretHmac(keys.atRest.held, unseal(keys.atRest, material).toString('base64')),
    publicKeySha256: publicKey === null ? null : createHash('sha256').update(publicKey).digest('hex'),
  }
}
