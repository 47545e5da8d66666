import type { Assurance, Policy, PolicyOptions, Rule } from '../kernel/rule.ts'
import type { ApproverLeaf, QuorumPolicy } from './quorum-policy.ts'

/** Who may approve, and what they prove with it. */
export interface Reviewer extends ApproverLeaf {
  readonly requiresPassword: boolean
  readonly requiresSecurityKey: boolean
}

/**
 * Everyone whom these policies name, each once, in the order in which they are named. What a reviewer proves is what any quorum
 * above any place of theirs asks for; an application has neither password nor device, and proves nothing (contract §3.4, §4.1).
 */
export function reviewersOf(policies: readonly QuorumPolicy[]): readonly Reviewer[] {
  const reviewers = new Map<string, Reviewer>()
  for (const policy of policies) collect(reviewers, policy, { requiresPassword: false, requiresSecurityKey: false })
  return [...reviewers.values()]
}

type Required = Pick<Reviewer, 'requiresPassword' | 'requiresSecurityKey'>

function collect(reviewers: Map<string, Reviewer>, policy: QuorumPolicy, above: Required): void {
  if (policy.kind === 'quorum') {
    const { members, requiresPassword, requiresSecurityKey } = policy
    const required = eitherOf(above, { requiresPassword, requiresSecurityKey })
    for (const member of members) collect(reviewers, member, required)
    return
  }
  const { kind, id } = policy
  const key = `${kind}:${id}`
  const required = kind === 'app' ? nothing : eitherOf(reviewers.get(key) ?? nothing, above)
  reviewers.set(key, { kind, id, ...required })
}

const nothing: Required = { requiresPassword: false, requiresSecurityKey: false }

function eitherOf(one: Required, other: Required): Required {
  return {
    requiresPassword: one.requiresPassword || other.requiresPassword,
    requiresSecurityKey: one.requiresSecurityKey || other.requiresSecurityKey,
  }
}

/** All of them have to hold, one denial is final, and an approval stands. */
export function optionsOf(requesterMayVote: boolean): PolicyOptions {
  return {
    veto: 'final',
    requesterMayVote,
    distinctPeople: false,
    naturalPersons: false,
    recheckEligibility: false,
    vetoNeedsAssurance: false,
    approvesOnce: true,
  }
}

/**
 * The policies that apply to one operation as the engine's: one binding stage, of which every policy has to hold.
 * @param principalOf gives the principal of a reviewer in the account
 */
export function policyOf(
  policies: readonly QuorumPolicy[],
  principalOf: (reviewer: ApproverLeaf) => string,
  requesterMayVote: boolean,
): Policy {
  const proofs = new Map(reviewersOf(policies).map((reviewer) => [principalOf(reviewer), assuranceOf(reviewer)]))
  const ruleOf = (policy: QuorumPolicy): Rule => {
    if (policy.kind === 'quorum') {
      return { kind: 'threshold', atLeast: policy.n, of: policy.members.map(ruleOf) }
    }
    const id = principalOf(policy)
    const assurance = proofs.get(id) ?? []
    return { kind: 'seats', atLeast: 1, from: { kind: 'principal', id }, ...(assurance.length > 0 && { assurance }) }
  }
  const rules = policies.map(ruleOf)
  const [only] = rules
  const rule: Rule =
    rules.length === 1 && only !== undefined ? only : { kind: 'threshold', atLeast: rules.length, of: rules }
  return { stages: [{ binding: true, rule }], options: optionsOf(requesterMayVote) }
}

function assuranceOf({ requiresPassword, requiresSecurityKey }: Required): Assurance[] {
  return [
    ...(requiresPassword ? (['password'] as const) : []),
    ...(requiresSecurityKey ? (['securityKey'] as const) : []),
  ]
}
