import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Caller } from '../identity/actor.ts'
import { mayVote, type MayVote } from '../kernel/eligibility.ts'
import type { Stance } from '../kernel/request.ts'
import { findLastStance } from '../store/votes.ts'
import type { Dialect } from '../store/schema.ts'
import {
  findFactsOfKnownVoter,
  findVotingFacts,
  findVotingFactsOfMany,
  type RequestKey,
  type VotingFactsRow,
} from '../store/voting.ts'
import { requireFacts } from './cast-vote.ts'
import { policyRules, type PolicyRules } from './policy-rules.ts'
import { stateOf } from './request-state.ts'
import { factsOf, type FoundFacts } from './voting-facts.ts'

export type VotingPosition = MayVote & { readonly hasVoted: boolean }

/**
 * Whether the caller may vote on a request now, and whether a vote of theirs stands there (contract §3.3).
 * @throws AppError WORKFLOW_NOT_FOUND
 */
export async function votingPosition(
  ctx: Ctx,
  caller: Caller,
  key: RequestKey,
  dialect: Dialect = 'native',
): Promise<VotingPosition> {
  const now = ctx.clock.now()
  const found = (await factsOfKnown(ctx, caller, key, now)) ?? (await readFacts(ctx, caller, key, now))
  const row = requireFacts(found, caller)
  // Most who ask are about to vote.
  ctx.store.votingMemory.learn(caller.orgId, caller.principalId, row)
  const policy = await policyRules(ctx.db, caller.orgId, row.policy_id)
  if (policy.dialect !== dialect) throw new AppError('WORKFLOW_NOT_FOUND')
  return await positionOn(ctx, caller, row, policy, now)
}

/** The same of many requests, of whichever dialects, by their ids; those that there are not are left out. */
export async function positionsOn(
  ctx: Ctx,
  caller: Caller,
  ids: readonly string[],
): Promise<ReadonlyMap<string, VotingPosition>> {
  const now = ctx.clock.now()
  const rows = await findVotingFactsOfMany(ctx.db, caller.orgId, ids, caller.principalId, now)
  const positions = rows.filter(isFound).map(async (row): Promise<[string, VotingPosition]> => {
    const policy = await policyRules(ctx.db, caller.orgId, row.policy_id)
    return [row.id, await positionOn(ctx, caller, row, policy, now)]
  })
  return new Map(await Promise.all(positions))
}

const isFound = (row: VotingFactsRow): row is FoundFacts => row.id !== null

async function positionOn(
  ctx: Ctx,
  caller: Caller,
  row: FoundFacts,
  policy: PolicyRules,
  now: Date,
): Promise<VotingPosition> {
  const stance = await lastStance(ctx, caller, row)
  return {
    ...mayVote(policy, stateOf(row), factsOf(row, policy, caller.principalId), now.getTime()),
    hasVoted: stance !== null && stance !== 'withdraw',
  }
}

const readFacts = (ctx: Ctx, { orgId, principalId }: Caller, key: RequestKey, now: Date) =>
  findVotingFacts(ctx.db, orgId, key, principalId, now)

/** Of a voter whom this process has seen only the request is read, with the proof that they are still the same. */
async function factsOfKnown(ctx: Ctx, { orgId, principalId }: Caller, key: RequestKey, now: Date) {
  const voter = ctx.store.votingMemory.recallVoter(orgId, principalId, now)
  return voter === undefined ? undefined : await findFactsOfKnownVoter(ctx.db, orgId, key, principalId, voter)
}

/** The caller's last vote in the open stage; once the request is decided, and no stage open, their last vote of all. */
async function lastStance(ctx: Ctx, caller: Caller, row: FoundFacts): Promise<Stance | null> {
  return row.is_final
    ? await findLastStance(ctx.db, caller.orgId, row.id, row.stage, caller.principalId)
    : row.own_stance
}
