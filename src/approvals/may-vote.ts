import type { Ctx } from '../context.ts'
import type { Caller } from '../identity/actor.ts'
import { mayVote, type MayVote } from '../kernel/eligibility.ts'
import { findVotingFacts, type RequestKey } from '../store/voting.ts'
import { requireFacts } from './cast-vote.ts'
import { policyRules } from './policy-rules.ts'
import { stateOf } from './request-state.ts'
import { factsOf } from './voting-facts.ts'

export type VotingPosition = MayVote & { readonly hasVoted: boolean }

/**
 * Whether the caller may vote on a request now, and whether a vote of theirs stands there.
 * @throws AppError WORKFLOW_NOT_FOUND
 */
export async function votingPosition(ctx: Ctx, caller: Caller, key: RequestKey): Promise<VotingPosition> {
  const row = requireFacts(await findVotingFacts(ctx.db, caller.orgId, key, caller.principalId), caller)
  const policy = await policyRules(ctx.db, caller.orgId, row.policy_id)
  return {
    ...mayVote(policy, stateOf(row), factsOf(row, policy, caller.principalId), ctx.clock.now().getTime()),
    hasVoted: row.own_stance !== null && row.own_stance !== 'withdraw',
  }
}
