import { isGranted } from '../identity/authorize.ts'
import { splitBindings, type RoleBinding } from '../store/principals.ts'
import type { Facts, StandingApproval, StandingVote } from '../kernel/request.ts'
import type { Assurance, SeatSource } from '../kernel/rule.ts'
import type { PolicyRules } from './policy-rules.ts'
import type { PrincipalKind } from '../store/schema.ts'
import type { StandingApprovalRow, StandingVoteRow, VotingFactsRow } from '../store/voting.ts'

/** A row of a request that exists. */
export type FoundFacts = VotingFactsRow & { readonly id: string }

/**
 * The voter as the kernel sees them. Where agents count as their person, `others` holds the votes of everyone the person
 * answers for.
 */
export function factsOf(
  row: FoundFacts,
  policy: PolicyRules,
  voterId: string,
  others?: readonly StandingVoteRow[] | null,
): Facts {
  return {
    policyOpen: row.policy_status === 'active' || row.takes_votes_when_inactive,
    voter: {
      principal: voterId,
      person: row.voter_person_id,
      enabled: !row.voter_disabled,
      hasRight: hasRight(splitBindings(row.voter_bindings), policy),
      inAnyGroup: row.voter_groups.length > 0,
      groups: row.voter_groups,
      provable: provableBy[row.voter_kind],
      standing: (others ?? ownVote(row, voterId)).map(standingVoteOf),
    },
  }
}

function ownVote(row: FoundFacts, principal_id: string): StandingVoteRow[] {
  if (row.own_stance === null) return []
  const { own_stance: stance, own_seats: seats, own_assurance: assurance, own_digest: digest } = row
  return [{ principal_id, person_id: row.voter_person_id, stance, seats, assurance, digest }]
}

/** An approval as it counts now: the seats that its principal still holds, with the right to vote and not disabled. */
export function standingApprovalOf(row: StandingApprovalRow, policy: PolicyRules): StandingApproval {
  const vote = standingVoteOf(row)
  const mayVote = row.is_enabled && hasRight(splitBindings(row.bindings), policy)
  const holds = mayVote ? vote.seats.filter((seat) => seat.kind === 'principal' || row.member_of.includes(seat.id)) : []
  return { ...vote, holds }
}

/** The proofs that each kind of principal can give at all: people have no key here to sign with yet. */
export const provableBy: Readonly<Record<PrincipalKind, readonly Assurance[]>> = {
  human: ['stepUp', 'password', 'securityKey'],
  agent: ['signature'],
}

/** In the native dialect a role gives it; in any other holding a seat is the right, and whoever holds none is told that. */
export function hasRight(
  bindings: readonly RoleBinding[],
  policy: Pick<PolicyRules, 'dialect' | 'name' | 'spaceId'>,
): boolean {
  if (policy.dialect !== 'native') return true
  const template = { type: 'workflow_template', name: policy.name, spaceId: policy.spaceId } as const
  return isGranted(bindings, 'workflow_template:vote', template)
}

function standingVoteOf(row: StandingVoteRow): StandingVote {
  const { principal_id: principal, person_id: person, stance, assurance, digest } = row
  return { principal, person, stance, seats: row.seats.map((id) => seatOf(id, principal)), assurance, digest }
}

// Ids are unique across kinds, so a seat is stored as its id alone.
function seatOf(id: string, principal: string): SeatSource {
  return { kind: id === principal ? 'principal' : 'group', id }
}
