import { leavesOf, type Policy, type PolicyOptions, type Stage } from '../kernel/rule.ts'
import type { ToldLeaf } from './told-leaf.ts'
import { change, type ToldRow, type ToldTable } from './told-table.ts'

export interface ToldPolicies {
  readonly policies: ToldTable
  /** What each of them decides by. */
  readonly rules: Map<string, Policy>
}

export function newPolicies(): ToldPolicies {
  return { policies: new Map(), rules: new Map() }
}

export function replayPolicies(told: ToldPolicies, leaf: ToldLeaf): void {
  const { kind, subject, facts, at } = leaf
  switch (kind) {
    case 'template.created':
    case 'template.updated':
      return add(told, leaf)
    case 'template.deprecated':
      return change(told.policies, subject, {
        status: 'pending-deprecation',
        takes_votes_when_inactive: facts['cancels'] !== true,
        updated_at: at,
      })
    case 'template.closed':
      return change(told.policies, subject, { status: 'deprecated', updated_at: at })
    case 'template.deleted':
      return remove(told, subject)
    case 'space.deleted':
      for (const [id, row] of told.policies) if (row['space_id'] === subject) remove(told, id)
  }
}

function add(told: ToldPolicies, leaf: ToldLeaf): void {
  const { subject, facts, at } = leaf
  const before = told.policies.get(facts['replaces'] as string)
  const options = facts['options'] as PolicyOptions
  const stages = facts['stages'] as readonly Stage[]
  const groups = stages.flatMap(({ rule }) => leavesOf(rule)).filter(({ from }) => from.kind === 'group')
  told.rules.set(subject, { stages, options })
  told.policies.set(subject, {
    // The leaves of old did not say what the next version has from the one before.
    dialect: facts['dialect'] ?? before?.['dialect'],
    space_id: facts['space'] ?? before?.['space_id'],
    name: leaf.text('name'),
    version: facts['version'],
    description: leaf.text('description'),
    status: 'active',
    takes_votes_when_inactive: true,
    ...namedStages(leaf, stages),
    options,
    natural_persons: options.naturalPersons,
    group_ids: [...new Set(groups.map(({ from }) => from.id))],
    default_expires_in_hours: facts['policyDigest'] === undefined ? undefined : (facts['expiresInHours'] ?? null),
    created_at: at,
    updated_at: at,
  })
}

/** With the names that stages have, unless one of them was erased: then only what decides can be compared. */
function namedStages(leaf: ToldLeaf, stages: readonly Stage[]): ToldRow {
  const names = stages.map((_, index) => leaf.text(`stages[${index}].name`))
  if (names.includes(undefined)) return { stages, hasErasedNames: true }
  return { stages: stages.map((stage, index) => ({ ...stage, ...(names[index] !== null && { name: names[index] }) })) }
}

function remove({ policies, rules }: ToldPolicies, id: string): void {
  policies.delete(id)
  rules.delete(id)
}

/** Names of the native templates that lie in a space. */
export function templatesIn({ policies }: ToldPolicies, space: string): string[] {
  const names = [...policies.values()].filter(
    (row) => row['space_id'] === space && (row['dialect'] ?? 'native') === 'native',
  )
  return names.flatMap((row: ToldRow) => (typeof row['name'] === 'string' ? [row['name']] : []))
}
