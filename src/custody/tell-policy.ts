import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import type { Tx } from '../store/open.ts'
import type { Member } from './account-rights.ts'
import { leafActorOf } from './caller.ts'
import type { AccountPolicy, GroupPolicy } from './policies.ts'

/** Tells what is needed from now on to change an account or a group: all of it, for it is ids, numbers and words. */
export async function tellPolicy(
  ctx: Ctx,
  tx: Tx,
  by: Member,
  of: { readonly kind: 'account' | 'group'; readonly id: string },
  policy: AccountPolicy | GroupPolicy | null,
): Promise<void> {
  await appendLeaf(ctx, tx, {
    orgId: by.orgId,
    kind: 'quorum.set',
    subjectId: of.id,
    actor: leafActorOf(by),
    at: ctx.clock.now(),
    facts: { of: of.kind, ...(policy ?? { policy: null }) },
  })
}
