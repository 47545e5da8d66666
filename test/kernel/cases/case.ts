import type { WorldPerson } from '../world.ts'
import type { Assurance, Policy, PolicyOptions, Rule, SeatSource, Seats, Stage } from '../../../src/kernel/rule.ts'

/**
 * A story that an auditor can read: who is who, what the policy says, what happens when, and how things stand after
 * each step. Steps and outcomes are sentences; `play.ts` says which it understands.
 */
export interface Case {
  /** What is to be seen, as a sentence. */
  readonly title: string
  readonly stages: readonly (Rule | Stage)[]
  /** Where they differ from the everyday ones below. */
  readonly options?: Partial<PolicyOptions>
  /** Where they differ from the people below. */
  readonly people?: readonly WorldPerson[]
  /** By default ada, who is in no group. */
  readonly requester?: string
  /** By default nobody else. */
  readonly beneficiary?: string
  readonly steps: readonly Step[]
}

/** When, what happens, and what comes of it. The request expires at 1000. */
export type Step = readonly [at: number, happens: string, then: string]

export const everyday: PolicyOptions = {
  veto: 'withdrawable',
  requesterMayVote: false,
  distinctPeople: false,
  naturalPersons: false,
  recheckEligibility: true,
  vetoNeedsAssurance: false,
}

/** Dana is in both; bot is an agent in security that ben answers for; gus is in a group that no rule mentions. */
export const groups = {
  security: ['ben', 'cleo', 'dana', 'bot'],
  finance: ['dana', 'eli'],
  garden: ['gus', 'ben'],
}

export const people: readonly WorldPerson[] = [
  ...['ada', 'ben', 'cleo', 'dana', 'eli', 'fay', 'gus'].map((principal) => ({ principal })),
  { principal: 'bot', person: 'ben', provable: [] },
]

export function seats(atLeast: number, from: string, ...assurance: readonly Assurance[]): Seats {
  return { kind: 'seats', atLeast, from: seat(from), ...(assurance.length > 0 && { assurance }) }
}

/** `security` is a group, `@ben` a principal. */
export function seat(name: string): SeatSource {
  return name.startsWith('@') ? { kind: 'principal', id: name.slice(1) } : { kind: 'group', id: name }
}

export function atLeast(n: number, ...of: readonly Rule[]): Rule {
  return { kind: 'threshold', atLeast: n, of }
}

export function all(...of: readonly Rule[]): Rule {
  return atLeast(of.length, ...of)
}

export function any(...of: readonly Rule[]): Rule {
  return atLeast(1, ...of)
}

export function advisory(rule: Rule): Stage {
  return { binding: false, rule }
}

export function policyOf({ stages, options }: Pick<Case, 'stages' | 'options'>): Policy {
  return {
    stages: stages.map((stage) => ('kind' in stage ? { binding: true, rule: stage } : stage)),
    options: { ...everyday, ...options },
  }
}
