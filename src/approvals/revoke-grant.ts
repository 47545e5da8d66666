import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, loadActor, type Caller } from '../identity/actor.ts'
import { endGrant } from '../identity/grants/end-grant.ts'
import { findStandingGrant } from '../store/grants.ts'
import type { Tx } from '../store/open.ts'
import { changeRequestGrant, findRequestGrant, type RequestGrantRow } from '../store/request-grants.ts'
import { findRequestForUpdate, touchRequest, type RequestRow } from '../store/requests.ts'
import { transact } from '../store/unit-of-work.ts'
import { hasApproved } from '../store/votes.ts'
import { lockFacts } from '../store/fact-locks.ts'

/** What the dialect writes beside it, in its transaction, which may run again. */
export type Alongside = (tx: Tx, change: { readonly requestId: string; readonly at: Date }) => Promise<void>

/**
 * Takes back the role that a request granted; the request stays approved. For those who approved it, and for nobody else
 * (contract privx §4.6). The role is gone then, also where it has been granted anew since; one that has ended before stays so.
 * @throws AppError WORKFLOW_NOT_FOUND, GRANT_NOT_REVOCABLE, REQUESTOR_NOT_AUTHORIZED
 */
export async function revokeGrantOfRequest(
  ctx: Ctx,
  caller: Caller,
  requestId: string,
  alongside?: Alongside,
): Promise<void> {
  await transact(ctx, caller.once, async (tx) => {
    const { orgId } = caller
    await lockFacts(tx, orgId)
    const actor = await loadActor(tx, caller)
    const row = await findRequestForUpdate(tx, orgId, requestId)
    const granted = await findRequestGrant(tx, orgId, requestId)
    if (row === undefined || granted === undefined) throw new AppError('WORKFLOW_NOT_FOUND')
    if (!isRevocable(row, granted)) throw new AppError('GRANT_NOT_REVOCABLE')
    if (!(await hasApproved(tx, orgId, requestId, actor.principalId))) {
      throw new AppError(
        'REQUESTOR_NOT_AUTHORIZED',
        'Only those who approved this request may take back what it granted.',
      )
    }
    const at = ctx.clock.now()
    const by = leafActorOf(actor)
    const grant = await findStandingGrant(tx, orgId, granted.principal_id, granted.group_id)
    if (grant !== undefined) await endGrant(ctx, tx, { grant, actor: by, because: 'revoked', at })
    await changeRequestGrant(tx, orgId, requestId, { revoked_at: at, revoked_by: actor.principalId })
    await touchRequest(tx, row, at)
    const { principal_id: principal, group_id: group } = granted
    const facts = { digest: row.digest, principal, group, hasEnded: grant !== undefined }
    await appendLeaf(ctx, tx, { orgId, kind: 'request.grant-revoked', subjectId: requestId, actor: by, at, facts })
    await alongside?.(tx, { requestId, at })
  })
  ctx.notices.announce(caller.orgId, [requestId])
}

function isRevocable({ status }: RequestRow, { operation, is_revocable, revoked_at }: RequestGrantRow): boolean {
  return status === 'approved' && operation === 'grant' && is_revocable && revoked_at === null
}
