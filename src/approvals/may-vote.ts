import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Caller } from '../identity/actor.ts'
import { mayVote, type MayVote } from '../kernel/eligibility.ts'
import type { Stance } from '../kernel/request.ts'
import { findLastStance } from '../store/votes.ts'
import type { Dialect } from '../store/schema.ts'
import {
  findFactsOfKnownVoter,
  findStandingOfPerson,
  findVotingFacts,
  findVotingFactsOfMany,
  type RequestKey,
  type StandingVoteRow,
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
  const others = await votesOfPerson(ctx, caller, [{ row, policy }])
  return await positionOn(ctx, caller, { row, policy }, others, now)
}

/** The same of many requests, of whichever dialects, by their ids; those that there are not are left out. */
export async function positionsOn(
  ctx: Ctx,
  caller: Caller,
  ids: readonly string[],
): Promise<ReadonlyMap<string, VotingPosition>> {
  const now = ctx.clock.now()
  const rows = await findVotingFactsOfMany(ctx.db, caller.orgId, ids, caller.principalId, now)
  const judged = rows.filter(isFound).map(async (row) => {
    return { row, policy: await policyRules(ctx.db, caller.orgId, row.policy_id) }
  })
  const found = await Promise.all(judged)
  const others = await votesOfPerson(ctx, caller, found)
  const positions = found.map(async (one): Promise<[string, VotingPosition]> => [
    one.row.id,
    await positionOn(ctx, caller, one, others, now),
  ])
  return new Map(await Promise.all(positions))
}

const isFound = (row: VotingFactsRow): row is FoundFacts => row.id !== null

interface Judged {
  readonly row: FoundFacts
  readonly policy: PolicyRules
}

async function positionOn(
  ctx: Ctx,
  caller: Caller,
  { row, policy }: Judged,
  others: ReadonlyMap<string, readonly StandingVoteRow[]>,
  now: Date,
): Promise<VotingPosition> {
  const stance = await lastStance(ctx, caller, row)
  const facts = factsOf(row, policy, caller.principalId, others.get(row.id))
  return {
    ...mayVote(policy, stateOf(row), facts, now.getTime()),
    hasVoted: stance !== null && stance !== 'withdraw',
  }
}

/** Of each request on which a vote of whoever else counts as the caller's person would stand in the way: all those votes. */
async function votesOfPerson(
  ctx: Ctx,
  { orgId }: Caller,
  judged: readonly Judged[],
): Promise<ReadonlyMap<string, readonly StandingVoteRow[]>> {
  const asked = judged.filter(({ row, policy: { options } }) => {
    return options.singleVote === true && options.naturalPersons && !row.is_final && row.voter_person_id !== null
  })
  const personId = asked[0]?.row.voter_person_id ?? null
  if (personId === null) return new Map()
  const ids = asked.map(({ row }) => row.id)
  return Map.groupBy(await findStandingOfPerson(ctx.db, orgId, ids, personId), (vote) => vote.request_id)
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
