import { createHash } from 'node:crypto'
import { canonicalJson } from '../audit/leaf.ts'
import { decidedBy } from '../dialects/native/wire/templates.ts'
import { ErasedText } from './erased-text.ts'
import { textOf } from './finding.ts'
import type { KeptSecrets } from './kept-secrets.ts'
import { isNative } from './replay-policies.ts'
import type { WorkflowOfPolicy } from './replay-workflows.ts'
import type { ToldRow } from './told-table.ts'

export interface PolicyGround {
  /** The first version of a template, of any of its versions. */
  readonly templates: ReadonlyMap<string, string>
  readonly workflowOf: ReadonlyMap<string, WorkflowOfPolicy>
  /** Null when the store's data keys are not known, so that nothing can be told of actions. */
  readonly secrets: KeptSecrets | null
}

/**
 * The row of a template version as what its leaf tells of it: the dialect's own wording as what it decides, actions as
 * their digest, stages without their names where those are gone, and an erased name, which all versions share, without an id.
 */
export function comparablePolicy(row: ToldRow, told: ToldRow | undefined, ground: PolicyGround): ToldRow {
  const { templates, secrets } = ground
  const named = (stages: unknown) => withNamesAs(told?.['namesAre'], stages)
  const rule = isNative(row) ? decided(row['rule']) : asTold(row, told, ground)
  return {
    ...row,
    name: told?.['name'] instanceof ErasedText ? nameWithoutId(row, templates) : row['name'],
    stages: named(row['stages']),
    rule: isDecided(rule) ? { ...rule, stages: named(rule.stages) } : rule,
    actions:
      secrets === null
        ? told?.['actions']
        : (secrets.digestOfActions(row['actions'] as Uint8Array) ?? 'nothing that opens'),
  }
}

function nameWithoutId({ id, name }: ToldRow, templates: ReadonlyMap<string, string>): unknown {
  const [, version] = /^erased:(.+)$/.exec(String(name)) ?? []
  const isOwn = version !== undefined && templates.get(version) === templates.get(String(id))
  return isOwn ? 'erased' : name
}

function decided(written: unknown): unknown {
  try {
    return decidedBy(written)
  } catch {
    return 'no rule'
  }
}

/** A workflow's wording is its steps. */
function asTold({ id, rule }: ToldRow, told: ToldRow | undefined, { workflowOf }: PolicyGround): unknown {
  // Whom it names in the words of the dialect stands in no other row that is compared.
  const digest = told?.['ruleSha256']
  if (digest !== undefined) return digestOf(canonicalJson(rule)) === digest ? told?.['rule'] : rule
  const workflow = workflowOf.get(String(id))
  if (workflow === undefined) return told?.['rule']
  const { rules, ...rest } = rule as { readonly rules?: unknown }
  const found = { ...rest, rules: withNamesAs(workflow.steps.namesAre, rules) }
  return textOf(found) === textOf({ options: null, rules: workflow.steps.steps }) ? told?.['rule'] : rule
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function isDecided(rule: unknown): rule is { readonly stages: unknown } {
  return typeof rule === 'object' && rule !== null
}

/**
 * Stages or steps as a leaf tells of them whose names are gone: what an erasure leaves of a name is none, or the fixed text; of
 * names that are lost nothing can be told.
 */
export function withNamesAs(namesAre: unknown, stages: unknown): unknown {
  if (namesAre === undefined || !Array.isArray(stages)) return stages
  return stages.map((stage: unknown) => {
    if (typeof stage !== 'object' || stage === null) return stage
    const { name, ...rest } = stage as { readonly name?: unknown }
    return namesAre === 'lost' || name === 'erased' || name === '' ? rest : stage
  })
}
