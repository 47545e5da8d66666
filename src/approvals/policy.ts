import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { acceptPolicy } from '../kernel/accept.ts'
import { leavesOf, type Policy, type PolicyOptions, type SeatSource, type Stage } from '../kernel/rule.ts'
import type { PolicyRow } from '../store/policies.ts'
import { openActions, type Action } from './actions.ts'

/** Whom a policy asks: as its dialect writes it, and as the kernel decides by it. */
export interface PolicyRules {
  readonly written: object
  readonly stages: readonly Stage[]
}

/** How a policy counts: as its dialect writes it, null when it said nothing, and as the kernel reads it. */
export interface PolicyBehaviour {
  readonly written: object | null
  readonly options: PolicyOptions
}

/** The dialect's own words, as stored beside what the kernel decides by. */
export interface Written {
  readonly rules: object
  readonly options: object | null
}

/** A policy as stored, its actions opened. */
export interface OpenPolicy extends Omit<PolicyRow, 'actions' | 'rule'> {
  readonly written: Written
  readonly actions: readonly Action[]
}

export function openPolicy(ctx: Pick<Ctx, 'keys'>, row: PolicyRow): OpenPolicy {
  const { actions, rule: _, ...open } = row
  return { ...open, written: writtenOf(row), actions: openActions(ctx, actions) }
}

export function writtenOf({ rule }: Pick<PolicyRow, 'rule'>): Written {
  return rule as Written
}

/**
 * What the store keeps of rules and options, once the kernel has accepted them.
 * @throws AppError APPROVAL_RULE_TOO_LARGE past the kernel's limits
 */
export function decidingColumns(rules: PolicyRules, behaviour: PolicyBehaviour) {
  const policy: Policy = { stages: rules.stages, options: behaviour.options }
  const acceptance = acceptPolicy(policy)
  if (!acceptance.ok) {
    const [problem] = acceptance.problems
    throw new AppError('APPROVAL_RULE_TOO_LARGE', problem && `${problem.path || 'The rule'} ${problem.reason}.`)
  }
  const written: Written = { rules: rules.written, options: behaviour.written }
  return {
    rule: JSON.stringify(written),
    stages: JSON.stringify(policy.stages),
    options: JSON.stringify(policy.options),
    natural_persons: policy.options.naturalPersons,
    group_ids: seatsOfKind(policy, 'group'),
    principal_ids: seatsOfKind(policy, 'principal'),
  }
}

/** Ids of the seats of one kind that a policy names in any stage, each once. */
export function seatsOfKind({ stages }: Pick<Policy, 'stages'>, kind: SeatSource['kind']): string[] {
  const seats = stages.flatMap(({ rule }) => leavesOf(rule)).map(({ from }) => from)
  return [...new Set(seats.filter((seat) => seat.kind === kind).map(({ id }) => id))]
}
