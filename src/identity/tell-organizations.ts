import { appendLeaf } from '../audit/append.ts'
import type { Leaf } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import type { Tx } from '../store/open.ts'
import { findHumansOf } from '../store/person-passwords.ts'

/**
 * Tells each organization that a person belongs to of a change of the person's own, as done by themselves. One who belongs to
 * none yet has no log to tell it to.
 */
export async function tellOrganizations(
  ctx: Ctx,
  tx: Tx,
  personId: string,
  leaf: Pick<Leaf, 'kind' | 'facts' | 'privateText'>,
): Promise<void> {
  const at = ctx.clock.now()
  for (const { org_id: orgId, id } of await findHumansOf(tx, personId)) {
    await appendLeaf(ctx, tx, { ...leaf, orgId, subjectId: id, actor: { kind: 'human', id }, at })
  }
}
