import type { Assurance, Rule } from '../../../kernel/rule.ts'
import { isUuidV7 } from './ids.ts'
import { asObject, refuse, type JsonObject } from './read.ts'

/** An ApprovalRule as it travels and is stored (contract §2.3), with our AT_LEAST. */
export type WireRule =
  | { readonly type: 'AND' | 'OR'; readonly rules: readonly WireRule[] }
  | { readonly type: 'AT_LEAST'; readonly count: number; readonly rules: readonly WireRule[] }
  | {
      readonly type: 'GROUP_REQUIREMENT'
      readonly groupId: string
      readonly minCount: number
      readonly requireHighPrivilege?: boolean
      /** Ours: each vote for the group is signed by its voter. */
      readonly requireSignature?: boolean
    }

/** What reading the rules of one template may cost. Nodes are counted over all its stages together. */
export interface RuleBudget {
  readonly maxDepth: number
  nodes: number
}

/** The contract's depth, for a template that says nothing beyond it. The root is at depth 0. */
const contractDepth = 2
/** Ours, once a template uses AT_LEAST or stages, which no stock client sends. The kernel's own limit. */
const extendedDepth = 8
const maxNodes = 1000

/** The budget of a template: how deep its rules may go depends on whether anything in them is beyond the contract. */
export function ruleBudget({ extended }: { extended: boolean }): RuleBudget {
  return { maxDepth: extended ? extendedDepth : contractDepth, nodes: 0 }
}

/** Whether an AT_LEAST stands anywhere in a rule that nobody has checked yet. */
export function usesAtLeast(unchecked: unknown): boolean {
  const pending = [unchecked]
  while (pending.length > 0) {
    const node = pending.pop()
    if (typeof node !== 'object' || node === null) continue
    const { type, rules } = node as JsonObject
    if (type === 'AT_LEAST') return true
    if (Array.isArray(rules)) for (const rule of rules as unknown[]) pending.push(rule)
  }
  return false
}

/** Reads an ApprovalRule and keeps its known members only. @throws AppError with the APPROVAL_RULE_* codes */
export function parseRule(value: unknown, field: string, budget: RuleBudget, depth = 0): WireRule {
  if (depth > budget.maxDepth) refuse('APPROVAL_RULE_MAX_RULE_NESTING_EXCEEDED', field)
  budget.nodes += 1
  if (budget.nodes > maxNodes) refuse('APPROVAL_RULE_TOO_LARGE', field)
  const node = asObject(value, 'APPROVAL_RULE_INVALID_RULE_TYPE', field)
  const children = (code: Parameters<typeof refuse>[0]) => parseChildren(node, field, budget, depth, code)
  switch (node['type']) {
    case 'AND':
      return { type: 'AND', rules: children('APPROVAL_RULE_AND_RULE_MUST_HAVE_RULES') }
    case 'OR':
      return { type: 'OR', rules: children('APPROVAL_RULE_OR_RULE_MUST_HAVE_RULES') }
    case 'AT_LEAST':
      return parseAtLeast(node, field, children('APPROVAL_RULE_AT_LEAST_RULE_MUST_HAVE_RULES'))
    case 'GROUP_REQUIREMENT':
      return parseGroupRequirement(node, field)
    default:
      return refuse('APPROVAL_RULE_INVALID_RULE_TYPE', `${field}.type`)
  }
}

function parseChildren(
  { rules }: JsonObject,
  field: string,
  budget: RuleBudget,
  depth: number,
  code: Parameters<typeof refuse>[0],
): WireRule[] {
  if (!Array.isArray(rules) || rules.length === 0) return refuse(code, `${field}.rules`)
  return rules.map((rule: unknown, index) => parseRule(rule, `${field}.rules[${index}]`, budget, depth + 1))
}

function parseAtLeast({ count }: JsonObject, field: string, rules: readonly WireRule[]): WireRule {
  if (!isCount(count) || count > rules.length) {
    return refuse('APPROVAL_RULE_AT_LEAST_RULE_INVALID_COUNT', `${field}.count`)
  }
  return { type: 'AT_LEAST', count, rules }
}

function parseGroupRequirement(node: JsonObject, field: string): WireRule {
  const { groupId, minCount, requireHighPrivilege, requireSignature } = node
  if (!isUuidV7(groupId)) return refuse('APPROVAL_RULE_GROUP_RULE_INVALID_GROUP_ID', `${field}.groupId`)
  if (!isCount(minCount)) return refuse('APPROVAL_RULE_GROUP_RULE_INVALID_MIN_COUNT', `${field}.minCount`)
  for (const [name, value] of Object.entries({ requireHighPrivilege, requireSignature })) {
    if (value !== undefined && typeof value !== 'boolean') {
      return refuse('APPROVAL_RULE_MALFORMED_CONTENT', `${field}.${name}`)
    }
  }
  return {
    type: 'GROUP_REQUIREMENT',
    groupId,
    minCount,
    ...(typeof requireHighPrivilege === 'boolean' && { requireHighPrivilege }),
    ...(typeof requireSignature === 'boolean' && { requireSignature }),
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1
}

/** The rule as the kernel decides by it: node for node, so that a place in one is a place in the other. */
export function toKernelRule(rule: WireRule): Rule {
  switch (rule.type) {
    case 'AND':
      return { kind: 'threshold', atLeast: rule.rules.length, of: rule.rules.map(toKernelRule) }
    case 'OR':
      return { kind: 'threshold', atLeast: 1, of: rule.rules.map(toKernelRule) }
    case 'AT_LEAST':
      return { kind: 'threshold', atLeast: rule.count, of: rule.rules.map(toKernelRule) }
    case 'GROUP_REQUIREMENT': {
      const assurance: Assurance[] = []
      if (rule.requireHighPrivilege === true) assurance.push('stepUp')
      if (rule.requireSignature === true) assurance.push('signature')
      return {
        kind: 'seats',
        atLeast: rule.minCount,
        from: { kind: 'group', id: rule.groupId.toLowerCase() },
        ...(assurance.length > 0 && { assurance }),
      }
    }
  }
}

/** A stored rule with its members in the contract's order, which the store does not keep. */
export function renderRule(rule: WireRule): WireRule {
  switch (rule.type) {
    case 'AND':
    case 'OR':
      return { type: rule.type, rules: rule.rules.map(renderRule) }
    case 'AT_LEAST':
      return { type: rule.type, count: rule.count, rules: rule.rules.map(renderRule) }
    case 'GROUP_REQUIREMENT': {
      const { type, groupId, minCount, requireHighPrivilege, requireSignature } = rule
      return {
        type,
        groupId,
        minCount,
        ...(requireHighPrivilege !== undefined && { requireHighPrivilege }),
        ...(requireSignature !== undefined && { requireSignature }),
      }
    }
  }
}
