import { seatsOfKind } from '../approvals/policy.ts'
import type { Policy, PolicyOptions, Stage } from '../kernel/rule.ts'
import { ErasedText } from './erased-text.ts'
import { jsonText } from './json-text.ts'
import type { ToldLeaf } from './told-leaf.ts'
import { change, type ToldRow, type ToldTable } from './told-table.ts'

export interface ToldPolicies {
  readonly policies: ToldTable
  /** What each of them decides by. */
  readonly rules: Map<string, Policy>
  /** Of each version, also of those that are gone, the first of its template: roles are on the template, whatever its name. */
  readonly templates: Map<string, string>
}

export function newPolicies(): ToldPolicies {
  return { policies: new Map(), rules: new Map(), templates: new Map() }
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
  const replaced = facts['replaces'] as string
  const before = told.policies.get(replaced)
  const options = facts['options'] as PolicyOptions
  const stages = facts['stages'] as readonly Stage[]
  const named = namedStages(leaf, stages)
  const isOfOld = facts['policyDigest'] === undefined
  told.templates.set(subject, told.templates.get(replaced) ?? subject)
  told.rules.set(subject, { stages, options })
  told.policies.set(subject, {
    // The leaves of old did not say what the next version has from the one before.
    dialect: facts['dialect'] ?? before?.['dialect'],
    space_id: facts['space'] ?? (isOfOld ? before?.['space_id'] : null),
    name: leaf.text('name'),
    version: facts['version'],
    description: leaf.text('description'),
    // The leaves of old commit to none.
    metadata: jsonText(leaf, 'metadata'),
    status: 'active',
    takes_votes_when_inactive: true,
    ...named,
    ruleSha256: facts['ruleSha256'],
    rule: { stages: named.stages, options },
    options,
    natural_persons: options.naturalPersons,
    group_ids: seatsOfKind({ stages }, 'group'),
    principal_ids: seatsOfKind({ stages }, 'principal'),
    actions: facts['actionsHmac'],
    default_expires_in_hours: isOfOld ? undefined : (facts['expiresInHours'] ?? null),
    created_at: at,
    updated_at: at,
  })
}

/** With the names that stages have, unless they are gone: `namesAre` tells how, for then only the rest can be compared. */
function namedStages(
  leaf: ToldLeaf,
  stages: readonly Stage[],
): { readonly stages: readonly object[]; readonly namesAre?: 'erased' | 'lost' } {
  const names = stages.map((_, index) => leaf.text(`stages[${index}].name`))
  if (names.includes(undefined)) return { stages, namesAre: 'lost' }
  if (names.some((name) => name instanceof ErasedText)) return { stages, namesAre: 'erased' }
  return { stages: stages.map((stage, index) => ({ ...stage, ...(names[index] !== null && { name: names[index] }) })) }
}

function remove({ policies, rules }: ToldPolicies, id: string): void {
  policies.delete(id)
  rules.delete(id)
}

/** The native templates that lie in a space, each by its first version. */
export function templatesIn({ policies, templates }: ToldPolicies, space: string): string[] {
  return [...policies].flatMap(([id, row]) =>
    row['space_id'] === space && isNative(row) ? [templates.get(id) ?? id] : [],
  )
}

/** Roles are on native templates alone. */
export function isNative(row: ToldRow): boolean {
  return (row['dialect'] ?? 'native') === 'native'
}
