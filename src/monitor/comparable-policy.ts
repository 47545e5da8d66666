import { decidedBy } from '../dialects/native/wire/templates.ts'
import { ErasedText } from './erased-text.ts'
import { isNative } from './replay-policies.ts'
import type { ToldRow } from './told-table.ts'

/** What a leaf says of sealed actions; null when they cannot be opened. */
export type ActionsDigest = (sealed: Uint8Array) => string | null

export interface PolicyGround {
  /** The first version of a template, of any of its versions. */
  readonly templates: ReadonlyMap<string, string>
  /** Null when the store's data keys are not known, so that nothing can be told of actions. */
  readonly digest: ActionsDigest | null
}

/**
 * The row of a template version as what its leaf tells of it: the dialect's own wording as what it decides, actions as
 * their digest, stages without their names where those are gone, and an erased name, which all versions share, without an id.
 */
export function comparablePolicy(
  row: ToldRow,
  told: ToldRow | undefined,
  { templates, digest }: PolicyGround,
): ToldRow {
  const named = (stages: unknown) => withNamesAs(told?.['namesAre'], stages)
  const rule = isNative(row) ? decided(row['rule']) : told?.['rule']
  return {
    ...row,
    name: told?.['name'] instanceof ErasedText ? nameWithoutId(row, templates) : row['name'],
    stages: named(row['stages']),
    rule: isDecided(rule) ? { ...rule, stages: named(rule.stages) } : rule,
    actions: digest === null ? told?.['actions'] : (digest(row['actions'] as Uint8Array) ?? 'nothing that opens'),
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

function isDecided(rule: unknown): rule is { readonly stages: unknown } {
  return typeof rule === 'object' && rule !== null
}

/** What an erasure leaves of a name is none, or the fixed text; of names that are lost nothing can be told. */
function withNamesAs(namesAre: unknown, stages: unknown): unknown {
  if (namesAre === undefined || !Array.isArray(stages)) return stages
  return stages.map((stage: { readonly name?: unknown }) => {
    const { name, ...rest } = stage
    return namesAre === 'lost' || name === 'erased' ? rest : stage
  })
}
