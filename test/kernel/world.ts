/**
 * A small world around the kernel: people, groups and a log, driven the way the store drives it. Every change is an
 * entry of the log, in commit order, so that a second implementation can be asked about the same history.
 */
import {
  decide,
  initialState,
  type Event,
  type Outcome,
  type Facts,
  type RequestState,
  type StandingApproval,
  type StandingVote,
  type Vote,
  type VoterFacts,
} from '../../src/kernel/request.ts'
import { mayVote, type MayVote } from '../../src/kernel/eligibility.ts'
import type { Assurance, Policy, SeatSource } from '../../src/kernel/rule.ts'

export interface WorldPerson {
  readonly principal: string
  /** The natural person; by default a person of the principal's own name. */
  readonly person?: string | null
  readonly enabled?: boolean
  readonly hasRight?: boolean
  /** By default everything. */
  readonly provable?: readonly Assurance[]
}

export interface WorldSetup {
  readonly people: readonly (WorldPerson | string)[]
  readonly groups: Readonly<Record<string, readonly string[]>>
  /** A principal; it need not be among the people. */
  readonly requester: string
  /** A principal whom it is asked for. */
  readonly beneficiary?: string
  readonly expiresAt: number
  /** Hand every standing approval to each vote, instead of only when the kernel asks for them. */
  readonly alwaysGiveApprovals?: boolean
  /** Asked in place of the kernel, by a test that wants to see a broken one found out. */
  readonly decide?: typeof decide
}

/** What a vote leaves out is filled in: approve, on the current digest, proving everything the principal can prove. */
export type WorldVote = Partial<Vote>

export interface StoredVote extends StandingVote {
  readonly kind: 'vote'
  readonly now: number
  readonly seq: number
  /** The stage it was cast in. */
  readonly stage: number
}

export type LogEntry =
  | StoredVote
  | {
      readonly kind: 'refused'
      readonly now: number
      readonly event: Event
      readonly outcome: Outcome
    }
  | { readonly kind: 'clock' | 'cancel' | 'close-stage'; readonly now: number }
  | { readonly kind: 'amend'; readonly now: number; readonly digest: string }
  | {
      readonly kind: 'member'
      readonly group: string
      readonly principal: string
      readonly is: boolean
    }
  | { readonly kind: 'enabled' | 'right'; readonly principal: string; readonly is: boolean }
  | { readonly kind: 'agent-of'; readonly principal: string; readonly person: string | null }
  | { readonly kind: 'policy-open'; readonly is: boolean }

export interface World {
  readonly policy: Policy
  readonly state: RequestState
  readonly log: readonly LogEntry[]
  readonly groups: ReadonlyMap<string, ReadonlySet<string>>
  vote(principal: string, vote: WorldVote, now: number): Outcome
  mayVote(principal: string, now: number): MayVote
  clock(now: number): Outcome
  cancel(now: number): Outcome
  closeStage(now: number): Outcome
  /** Gives the request a digest that it never had. */
  amend(now: number): Outcome
  setMember(group: string, principal: string, is: boolean): void
  setEnabled(principal: string, is: boolean): void
  setRight(principal: string, is: boolean): void
  /** Whose agent a principal is from now on. Votes already cast stay those of whoever answered for them then. */
  setAgentOf(principal: string, person: string | null): void
  setPolicyOpen(is: boolean): void
  /** What the store would load for this voter, and for everyone. */
  facts(principal: string): Facts
  standingApprovals(): readonly StandingApproval[]
}

/**
 * @example
 * const world = createWorld(policy, { people: ['ben', 'cleo'], groups: { security: ['ben', 'cleo'] }, requester: 'ada', expiresAt: 1000 })
 * world.vote('ben', { stance: 'approve' }, 1)
 * world.state.status // 'open'
 */
export function createWorld(policy: Policy, setup: WorldSetup): World {
  const people = new Map(setup.people.map((given) => personOf(given)).map((person) => [person.principal, person]))
  const groups = new Map(Object.entries(setup.groups).map(([group, members]) => [group, new Set(members)]))
  const log: LogEntry[] = []
  const ask = setup.decide ?? decide
  let policyOpen = true
  let amendments = 0
  let state = initialState(policy, {
    digest: 'digest-0',
    expiresAt: setup.expiresAt,
    requester: { principal: setup.requester, person: find(setup.requester).person },
    ...(setup.beneficiary !== undefined && {
      beneficiary: { principal: setup.beneficiary, person: find(setup.beneficiary).person },
    }),
  })

  function find(principal: string): Required<WorldPerson> {
    return people.get(principal) ?? personOf(principal)
  }
  function change(principal: string, difference: Partial<WorldPerson>): void {
    people.set(principal, { ...find(principal), ...difference })
  }
  function isMember(group: string, principal: string): boolean {
    return groups.get(group)?.has(principal) === true
  }
  function holdsNow(seat: SeatSource, principal: string): boolean {
    const { enabled, hasRight } = find(principal)
    const isTheirs = seat.kind === 'group' ? isMember(seat.id, principal) : seat.id === principal
    return enabled && hasRight && isTheirs
  }

  /** The last vote of each principal in the open stage, whatever digest it was cast on. */
  function lastVotes(): readonly StoredVote[] {
    const last = new Map<string, StoredVote>()
    for (const entry of log) {
      if (entry.kind === 'vote' && entry.stage === state.stage) last.set(entry.principal, entry)
    }
    return [...last.values()]
  }
  function standingApprovals(): readonly StandingApproval[] {
    const isCurrent = (vote: StoredVote) => vote.stance === 'approve' && vote.digest === state.digest
    return lastVotes()
      .filter(isCurrent)
      .map((vote) => ({
        ...vote,
        holds: policy.options.recheckEligibility
          ? vote.seats.filter((seat) => holdsNow(seat, vote.principal))
          : vote.seats,
      }))
  }
  function voterFacts(principal: string): VoterFacts {
    const { person, enabled, hasRight, provable } = find(principal)
    const memberOf = [...groups.keys()].filter((group) => isMember(group, principal))
    const isSameVoter = (vote: StoredVote) =>
      vote.principal === principal || (policy.options.naturalPersons && person !== null && vote.person === person)
    const standing = lastVotes().filter(isSameVoter)
    return {
      principal,
      person,
      enabled,
      hasRight,
      inAnyGroup: memberOf.length > 0,
      groups: memberOf,
      provable,
      standing,
    }
  }
  function facts(principal: string): Facts {
    return { policyOpen, voter: voterFacts(principal) }
  }

  /** One transaction: ask, load more and ask again if the kernel wants it, then write what it decided. */
  function commit(event: Event, now: number, entry: (outcome: Outcome & { kind: 'decided' }) => LogEntry): Outcome {
    let outcome = ask(policy, state, event, now)
    if (outcome.kind === 'needs-approvals' && event.kind === 'vote') {
      const asked = { ...event, facts: { ...event.facts, approvals: standingApprovals() } }
      outcome = ask(policy, state, asked, now)
    }
    if (outcome.kind === 'decided') {
      log.push(entry(outcome))
      state = outcome.next
    } else {
      log.push({ kind: 'refused', now, event, outcome })
    }
    return outcome
  }
  function vote(principal: string, given: WorldVote, now: number): Outcome {
    const cast: Vote = {
      stance: 'approve',
      assurance: find(principal).provable,
      digest: state.digest,
      ...given,
    }
    const known: Facts = setup.alwaysGiveApprovals
      ? { ...facts(principal), approvals: standingApprovals() }
      : facts(principal)
    const { person } = known.voter
    const { stance, assurance, digest } = cast
    return commit({ kind: 'vote', vote: cast, facts: known }, now, ({ record }) => {
      if (!record) throw new Error('a vote was decided and there is nothing to store')
      return { kind: 'vote', now, principal, person, stance, assurance, digest, ...record }
    })
  }
  function happen(kind: 'clock' | 'cancel' | 'close-stage', now: number): Outcome {
    return commit({ kind }, now, () => ({ kind, now }))
  }

  return {
    policy,
    log,
    groups,
    get state() {
      return state
    },
    vote,
    facts,
    standingApprovals,
    mayVote: (principal, now) => mayVote(policy, state, facts(principal), now),
    clock: (now) => happen('clock', now),
    cancel: (now) => happen('cancel', now),
    closeStage: (now) => happen('close-stage', now),
    amend(now) {
      const digest = `digest-${(amendments += 1)}`
      return commit({ kind: 'amend', digest }, now, () => ({ kind: 'amend', now, digest }))
    },
    setMember(group, principal, is) {
      const members = groups.get(group) ?? new Set<string>()
      groups.set(group, members)
      if (is) members.add(principal)
      else members.delete(principal)
      log.push({ kind: 'member', group, principal, is })
    },
    setEnabled(principal, is) {
      change(principal, { enabled: is })
      log.push({ kind: 'enabled', principal, is })
    },
    setRight(principal, is) {
      change(principal, { hasRight: is })
      log.push({ kind: 'right', principal, is })
    },
    setAgentOf(principal, person) {
      change(principal, { person })
      log.push({ kind: 'agent-of', principal, person })
    },
    setPolicyOpen(is) {
      policyOpen = is
      log.push({ kind: 'policy-open', is })
    },
  }
}

function personOf(given: WorldPerson | string): Required<WorldPerson> {
  const person = typeof given === 'string' ? { principal: given } : given
  return {
    person: person.principal,
    enabled: true,
    hasRight: true,
    provable: ['stepUp', 'password', 'securityKey'],
    ...person,
  }
}
