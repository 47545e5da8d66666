import type { Caller } from '../identity/actor.ts'
import {
  decide,
  type Outcome,
  type RequestState,
  type StandingApproval,
  type Vote,
  type VoteRecord,
} from '../kernel/request.ts'
import type { Db } from '../store/open.ts'
import { findStandingApprovals, findStandingOfPerson, type StandingVoteRow } from '../store/voting.ts'
import type { PolicyRules } from './policy-rules.ts'
import { refusalError } from './refusals.ts'
import { stateOf } from './request-state.ts'
import { factsOf, standingApprovalOf, type FoundFacts } from './voting-facts.ts'

/** What the kernel says once it knows all that it asked for. */
type Settled = Exclude<Outcome, { kind: 'needs-approvals' }>
interface AcceptedVote {
  readonly record: VoteRecord
  readonly next: RequestState
}

/** What the kernel makes of a vote. */
interface Judgement {
  readonly vote: Vote
  readonly outcome: Settled | null
  /** What it was judged on beside the tally; null when the kernel did not ask. */
  readonly approvals: readonly StandingApproval[] | null
}

/** Asks the kernel; no outcome when it needs the standing approvals and there is no transaction to read them in. */
export async function judge(
  tx: Db | null,
  caller: Caller,
  policy: PolicyRules,
  row: FoundFacts,
  vote: Vote,
  now: Date,
): Promise<Judgement> {
  const state = stateOf(row)
  const others = tx !== null && policy.options.naturalPersons ? await standingOfPerson(tx, caller, row) : null
  const facts = factsOf(row, policy, caller.principalId, others)
  const outcome = decide(policy, state, { kind: 'vote', vote, facts }, now.getTime())
  if (outcome.kind !== 'needs-approvals') return { vote, outcome, approvals: null }
  if (tx === null) return { vote, outcome: null, approvals: null }
  const rows = await findStandingApprovals(tx, caller.orgId, row.id, row.stage, now)
  const approvals = rows.map((approval) => standingApprovalOf(approval, policy))
  const settled = decide(policy, state, { kind: 'vote', vote, facts: { ...facts, approvals } }, now.getTime())
  return { vote, outcome: settled.kind === 'needs-approvals' ? null : settled, approvals }
}

async function standingOfPerson(tx: Db, caller: Caller, row: FoundFacts): Promise<StandingVoteRow[] | null> {
  if (row.voter_person_id === null) return null
  return await findStandingOfPerson(tx, caller.orgId, [row.id], row.voter_person_id)
}

/** What the vote makes of the request. @throws AppError when the kernel refused it, and what `requireVoteQuota` throws */
export function accept(outcome: Settled, requireVoteQuota: () => void = () => {}): AcceptedVote {
  if (outcome.kind === 'refused') throw refusalError(outcome.refusal, requireVoteQuota)
  requireVoteQuota()
  if (outcome.record === undefined) throw new Error('the kernel recorded no vote')
  return { record: outcome.record, next: outcome.next }
}

export function isAboutProof(outcome: Settled): boolean {
  const reason = outcome.kind === 'refused' && outcome.refusal.reason
  return reason === 'assurance-missing' || reason === 'assurance-impossible'
}

export function needsProof(outcome: Settled | null): boolean {
  return outcome?.kind === 'refused' && outcome.refusal.reason === 'assurance-missing'
}
