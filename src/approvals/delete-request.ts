import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, loadActor, type Actor, type Caller } from '../identity/actor.ts'
import type { Tx } from '../store/open.ts'
import { deleteRequestRow, findRequestForUpdate } from '../store/requests.ts'
import type { Dialect } from '../store/schema.ts'
import { transact } from '../store/unit-of-work.ts'
import { shareFacts } from '../store/fact-locks.ts'

/**
 * Deletes a request with its votes, as if it had never been; a role that it granted stays. For whoever asked, as long as it is
 * open, and for an admin of the dialect always (contract privx §4.7). The log goes on to tell of it.
 * @param isAdmin whether the caller is one, asked in the transaction
 * @throws AppError WORKFLOW_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED
 */
export async function deleteRequest(
  ctx: Ctx,
  caller: Caller,
  requestId: string,
  { dialect, isAdmin }: { readonly dialect: Dialect; readonly isAdmin: (tx: Tx, actor: Actor) => Promise<boolean> },
): Promise<void> {
  await transact(ctx, caller.once, async (tx) => {
    const { orgId } = caller
    await shareFacts(tx, orgId)
    const actor = await loadActor(tx, caller)
    const row = await findRequestForUpdate(tx, orgId, requestId)
    if (row?.dialect !== dialect) throw new AppError('WORKFLOW_NOT_FOUND')
    const isOwn = row.requester_id === actor.principalId && row.status === 'open'
    if (!isOwn && !(await isAdmin(tx, actor))) {
      throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'Who asked may delete this while it is open, and an admin always.')
    }
    await deleteRequestRow(tx, row)
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'request.deleted',
      subjectId: requestId,
      actor: leafActorOf(actor),
      at: ctx.clock.now(),
      facts: { digest: row.digest, policy: row.policy_id, seq: row.vote_seq, stage: row.stage, from: row.status },
    })
  })
  ctx.store.votingMemory.forget(caller.orgId, requestId, caller.principalId)
  ctx.notices.announce(caller.orgId, [requestId])
}
