/** Kernels that are wrong on purpose. If the campaign does not find each of them out, it proves nothing about the real one. */
import { type Event, type RequestState, type StandingApproval, decide } from '../../src/kernel/request.ts'
import type { Policy, PolicyOptions, Rule, Seats } from '../../src/kernel/rule.ts'
import type { EngineMaker } from './compare.ts'
import { engineWith } from './kernel-engine.ts'

type VoteEvent = Extract<Event, { kind: 'vote' }>

const BREAKAGES = {
  'greedy-matching': (policy, state, event, now) => {
    const outcome = decide(policy, state, event, now)
    const isByQuorum =
      outcome.kind === 'decided' &&
      outcome.effects.some((effect) => effect.kind === 'stage-passed' && effect.by === 'quorum')
    if (!isByQuorum || event.kind !== 'vote' || !policy.options.distinctPeople) return outcome
    if (isFilledGreedily(policy, state, event)) return outcome
    return { ...outcome, next: { ...state, seq: state.seq + 1, status: 'open' }, effects: [] }
  },
  'voter-counted-twice': (policy, state, event, now) =>
    decide(
      policy,
      state,
      withVote(event, ({ facts }) => ({ facts: { ...facts, voter: { ...facts.voter, standing: [] } } })),
      now,
    ),
  'agent-counted-beside-person': (policy, state, event, now) =>
    decide(withOptions(policy, { naturalPersons: false }), state, event, now),
  'requester-counted': (policy, state, event, now) =>
    decide(withOptions(policy, { requesterMayVote: true }), state, event, now),
  'beneficiary-counted': (policy, state, event, now) => {
    const { beneficiary: _, ...rest } = state
    return decide(policy, rest, event, now)
  },
  'second-vote-taken': (policy, state, event, now) => {
    const { singleVote: _, ...options } = policy.options
    return decide({ ...policy, options }, state, event, now)
  },
  'second-approval-taken': (policy, state, event, now) => {
    const { approvesOnce: _, ...options } = policy.options
    return decide({ ...policy, options }, state, event, now)
  },
  'approval-bars-veto': (policy, state, event, now) => {
    const isLater = event.kind === 'vote' && event.vote.stance === 'veto' && event.facts.voter.standing.length > 0
    return policy.options.approvesOnce && isLater
      ? { kind: 'refused', refusal: { reason: 'already-voted' } }
      : decide(policy, state, event, now)
  },
  'seat-never-full': (policy, state, event, now) =>
    policy.options.singleVote
      ? decide(policy, { ...state, tally: { ...state.tally, approvals: [] } }, event, now)
      : decide(policy, state, event, now),
  'expiry-off-by-one': (policy, state, event, now) => decide(policy, state, event, now - 1),
  'recheck-forgotten': (policy, state, event, now) =>
    decide(withOptions(policy, { recheckEligibility: false }), state, event, now),
  'one-voter-for-two-leaves': (policy, state, event, now) =>
    decide(withOptions(policy, { distinctPeople: false }), state, event, now),
  'stale-vote-accepted': (policy, state, event, now) =>
    decide(
      policy,
      state,
      withVote(event, ({ vote }) => ({ vote: { ...vote, digest: state.digest } })),
      now,
    ),
  'assurance-not-asked': (policy, state, event, now) =>
    decide(
      policy,
      state,
      withVote(event, ({ vote }) => ({
        vote: { ...vote, assurance: ['stepUp', 'password', 'securityKey', 'signature'] },
      })),
      now,
    ),
  'veto-forgotten': (policy, state, event, now) =>
    decide(policy, { ...state, tally: { ...state.tally, vetoes: 0 } }, event, now),
  'terminal-reopened': (policy, state, event, now) =>
    decide(policy, state.status === 'canceled' ? { ...state, status: 'open' } : state, event, now),
  'advisory-binds': (policy, state, event, now) =>
    decide({ ...policy, stages: policy.stages.map((stage) => ({ ...stage, binding: true })) }, state, event, now),
} satisfies Record<string, typeof decide>

export const BROKEN_NAMES = Object.keys(BREAKAGES)

export function brokenEngine(name: string): EngineMaker {
  const breakage = Object.entries(BREAKAGES).find(([known]) => known === name)?.[1]
  if (breakage === undefined)
    throw new Error(`no broken kernel is called ${name}; there are ${BROKEN_NAMES.join(', ')}`)
  return engineWith(breakage)
}

function withOptions(policy: Policy, options: Partial<PolicyOptions>): Policy {
  return { ...policy, options: { ...policy.options, ...options } }
}

function withVote(event: Event, change: (event: VoteEvent) => Partial<VoteEvent>): Event {
  return event.kind === 'vote' ? { ...event, ...change(event) } : event
}

/** Gives each leaf in turn the first voters who are free, and never thinks again. */
function isFilledGreedily(policy: Policy, state: RequestState, { vote, facts }: VoteEvent): boolean {
  const { principal, person } = facts.voter
  const others = (facts.approvals ?? []).filter((approval) => approval.principal !== principal)
  const held = vote.seats ?? [
    ...facts.voter.groups.map((id) => ({ kind: 'group', id }) as const),
    { kind: 'principal', id: principal } as const,
  ]
  const own = vote.stance === 'approve' ? [{ ...vote, principal, person, seats: held, holds: held }] : []
  const approvals: StandingApproval[] = [...others, ...own]
  const used = new Set<string>()
  const nameOf = (approval: StandingApproval): string =>
    (policy.options.naturalPersons ? approval.person : null) ?? approval.principal
  const takes = (leaf: Seats): boolean => {
    const fitting = approvals.filter((each) =>
      each.holds.some(({ kind, id }) => kind === leaf.from.kind && id === leaf.from.id),
    )
    const free = [...new Set(fitting.map(nameOf))].filter((voter) => !used.has(voter)).slice(0, leaf.atLeast)
    if (free.length === leaf.atLeast) for (const voter of free) used.add(voter)
    return free.length === leaf.atLeast
  }
  const fills = (rule: Rule): boolean =>
    rule.kind === 'seats' ? takes(rule) : rule.of.filter(fills).length >= rule.atLeast
  const stage = policy.stages[state.stage]
  return stage !== undefined && fills(stage.rule)
}
