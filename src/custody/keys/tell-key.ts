import { appendLeaf } from '../../audit/append.ts'
import type { Leaf } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import type { KeyRow } from '../../store/fortanix-keys.ts'
import type { Tx } from '../../store/open.ts'
import type { Member } from '../account-rights.ts'
import { leafActorOf } from '../caller.ts'

type Told = Pick<Leaf, 'kind' | 'facts' | 'privateText'>

/** Tells of a key in its account's log, never what it is made of. */
export async function tellKey(ctx: Ctx, tx: Tx, by: Member, key: KeyRow, told: Told): Promise<void> {
  const { orgId } = by
  await appendLeaf(ctx, tx, { orgId, subjectId: key.id, actor: leafActorOf(by), at: ctx.clock.now(), ...told })
}

/** What of a key is no name and no secret. */
export function factsOf(key: KeyRow): Readonly<Record<string, unknown>> {
  return {
    group: key.group_id,
    keyKind: key.kind,
    size: key.size_bits,
    curve: key.curve,
    operations: key.operations,
    enabled: key.is_enabled,
    state: key.state,
    hasSecret: key.material !== null,
  }
}
