import type { Ctx } from '../context.ts'
import { loadActor, type Actor, type Caller } from '../identity/actor.ts'
import { rolesHolding } from '../identity/roles.ts'
import { explain, type Explanation } from '../kernel/explain.ts'
import { leavesOf, type Assurance, type Policy, type Seats } from '../kernel/rule.ts'
import {
  countEligibleVoters,
  findEligibleVoters,
  findOwnGroups,
  type Electorate,
  type EligibleVoter,
  type Restricted,
} from '../store/eligible-voters.ts'
import { findPolicy, type PolicyRow } from '../store/policies.ts'
import type { RequestRow } from '../store/requests.ts'
import { findStandingApprovals, type RequestKey } from '../store/voting.ts'
import { policyRules, type PolicyRules } from './policy-rules.ts'
import { readRequest } from './read-request.ts'
import { stateOf } from './request-state.ts'
import { provableBy, standingApprovalOf } from './voting-facts.ts'

/** Someone who could help to finish, as far as the asker may know them: otherwise only whose seat it would be. */
export type Finisher =
  | { readonly id: string; readonly name: string; readonly groups: readonly string[] }
  | { readonly groups: readonly string[] }

export interface RequestExplanation {
  readonly explanation: Explanation
  readonly finishing: readonly (readonly Finisher[])[]
  readonly voters: readonly { readonly id: string; readonly seats: readonly string[] }[]
}

/** More members than this are counted, not listed; the explanation then says that it is not exact. */
const candidateLimit = 1000

/**
 * What a request still waits for, and who could finish it. Names are shown of the asker's fellow members, and to an
 * organization admin.
 * @throws AppError WORKFLOW_NOT_FOUND
 */
export async function explainRequest(ctx: Ctx, caller: Caller, key: RequestKey): Promise<RequestExplanation> {
  return await explainRow(ctx, caller, await readRequest(ctx, caller, key))
}

/** The same of a request of any dialect that the caller may read. */
export async function explainRow(ctx: Ctx, caller: Caller, row: RequestRow): Promise<RequestExplanation> {
  const actor = await loadActor(ctx.db, caller)
  const policy = await policyRules(ctx.db, row.org_id, row.policy_id)
  const record = await findPolicy(ctx.db, row.org_id, row.policy_id)
  if (record === undefined) throw new Error(`policy ${row.policy_id} of a request is missing`)

  const now = ctx.clock.now()
  const electorate = electorateOf(row, policy, record, now)
  const leaves = leavesOf(policy.stages[row.stage]?.rule ?? policy.stages[0]!.rule)
  const restricted = restrictedGroups(policy)
  const [approvals, candidates, sizes, ownGroups] = await Promise.all([
    findStandingApprovals(ctx.db, row.org_id, row.id, row.stage, now),
    findEligibleVoters(ctx.db, electorate, groupsOf(leaves), candidateLimit + 1),
    countEligibleVoters(ctx.db, electorate, record.group_ids, restricted),
    findOwnGroups(ctx.db, row.org_id, caller.principalId, record.group_ids, now),
  ])
  const standing = approvals.map((approval) => standingApprovalOf(approval, policy))
  const explanation = explain(
    policy,
    stateOf(row),
    {
      approvals: standing,
      candidates: candidates.slice(0, candidateLimit).map((voter) => ({
        principal: voter.id,
        person: voter.person_id,
        holds: openGroups(voter, restricted).map((id) => ({ kind: 'group', id })),
      })),
      candidatesComplete: candidates.length <= candidateLimit,
      seatSizes: [...sizes].map(([id, eligible]) => ({ seat: { kind: 'group', id }, eligible })),
    },
    now.getTime(),
  )
  return {
    explanation,
    finishing: finishers(explanation, candidates, actor, ownGroups),
    voters: standing.map((vote) => ({ id: vote.principal, seats: vote.holds.map((seat) => seat.id) })),
  }
}

function electorateOf(row: RequestRow, policy: PolicyRules, record: PolicyRow, now: Date): Electorate {
  const { requesterMayVote, naturalPersons } = policy.options
  return {
    orgId: row.org_id,
    voterRoles: policy.dialect === 'native' ? rolesHolding('workflow_template:vote') : null,
    policyName: record.name,
    spaceId: record.space_id,
    excluded: requesterMayVote ? [] : excludedOf(row),
    naturalPersons,
    now,
  }
}

function excludedOf(row: RequestRow): Electorate['excluded'] {
  const requester = { principalId: row.requester_id, personId: row.requester_person_id }
  if (row.beneficiary_id === null) return [requester]
  return [requester, { principalId: row.beneficiary_id, personId: row.beneficiary_person_id }]
}

/** Groups whose seats ask for a proof that only people can give, or only agents. */
function restrictedGroups(policy: Policy): Restricted {
  const leaves = policy.stages.flatMap((stage) => leavesOf(stage.rule))
  const askingBeyond = (provable: readonly Assurance[]) =>
    groupsOf(leaves.filter(({ assurance = [] }) => assurance.some((proof) => !provable.includes(proof))))
  return { toHumans: askingBeyond(provableBy.agent), toAgents: askingBeyond(provableBy.human) }
}

function groupsOf(leaves: readonly Seats[]): string[] {
  return [...new Set(leaves.flatMap(({ from }) => (from.kind === 'group' ? [from.id] : [])))]
}

function openGroups({ kind, groups }: EligibleVoter, { toHumans, toAgents }: Restricted): string[] {
  const closed = kind === 'human' ? toAgents : toHumans
  return groups.filter((id) => !closed.includes(id))
}

/** The finishing sets with names as far as the asker may see them; sets that look alike to them are shown once. */
function finishers(
  { pending }: Explanation,
  candidates: readonly EligibleVoter[],
  actor: Actor,
  ownGroups: readonly string[],
): Finisher[][] {
  const byId = new Map(candidates.map((voter) => [voter.id, voter]))
  const shown = (id: string): Finisher => {
    const voter = byId.get(id)
    if (voter === undefined) return { groups: [] }
    const isKnown = actor.isAdmin || id === actor.principalId || voter.groups.some((group) => ownGroups.includes(group))
    return isKnown ? { id, name: voter.name, groups: voter.groups } : { groups: voter.groups }
  }
  const sets = (pending?.finishing ?? []).map((set) => set.map(shown))
  return [...new Map(sets.map((set) => [JSON.stringify(set), set])).values()]
}
