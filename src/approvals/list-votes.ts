import type { Ctx } from '../context.ts'
import type { Caller } from '../identity/actor.ts'
import { listVotes, type VotePage, type VoteRow } from '../store/votes.ts'
import type { RequestKey } from '../store/voting.ts'
import { readRequest } from './read-request.ts'

/**
 * The votes of a request in the order in which they were committed; every one without a page.
 * @throws AppError WORKFLOW_NOT_FOUND
 */
export async function listRequestVotes(
  ctx: Ctx,
  caller: Caller,
  key: RequestKey,
  page: VotePage | null,
): Promise<VoteRow[]> {
  const { id } = await readRequest(ctx, caller, key)
  return await listVotes(ctx.db, caller.orgId, id, page)
}
