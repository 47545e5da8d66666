import { policyDigest, type RequestContent } from '../audit/digest.ts'
import type { Ctx } from '../context.ts'
import type { Caller } from '../identity/actor.ts'
import type { Policy } from '../kernel/rule.ts'
import type { RequestRow } from '../store/requests.ts'
import type { RequestKey } from '../store/voting.ts'
import { policyRules } from './policy-rules.ts'
import { currentStatus, readRequest } from './read-request.ts'

type Described = Pick<RequestRow, 'dialect' | 'name' | 'description' | 'metadata' | 'policy_id' | 'requester_id'>

/** What the digest of a request is over, from its row and the policy that decides it. */
export function contentOf(row: Described, policy: Policy): RequestContent {
  return {
    dialect: row.dialect,
    name: row.name,
    description: row.description,
    metadata: row.metadata,
    policyId: row.policy_id,
    policyDigest: policyDigest(policy),
    requesterId: row.requester_id,
    // Nothing edits a request yet.
    revision: 1,
  }
}

export interface ReadContent {
  readonly orgId: string
  readonly id: string
  readonly digest: string
  /** The stage that a vote would be cast in now; null when no vote can be any more. */
  readonly stage: number | null
  readonly content: RequestContent
}

/**
 * What a vote on a request is cast on: for whoever signs one, and does not take our word for what the digest stands for.
 * @throws AppError WORKFLOW_NOT_FOUND, SESSION_ENDED
 */
export async function readRequestContent(ctx: Ctx, caller: Caller, key: RequestKey): Promise<ReadContent> {
  const row = await readRequest(ctx, caller, key)
  const policy = await policyRules(ctx.db, row.org_id, row.policy_id)
  const takesVotes = !row.is_final && currentStatus(row, ctx.clock.now()) !== 'expired'
  return {
    orgId: row.org_id,
    id: row.id,
    digest: row.digest,
    stage: takesVotes ? row.stage : null,
    content: contentOf(row, policy),
  }
}
