import { textOf } from './finding.ts'

/** A leaf as it is stored. */
export interface StoredLeaf {
  readonly id: string
  readonly content: string
  /** What `keptTextsIn` reads. */
  readonly private: unknown
}

/** Texts beside a leaf, each with its salt, by name. */
export type KeptTexts = ReadonlyMap<string, { readonly salt: string; readonly text: string }>

/** @returns null for what no server keeps beside a leaf */
export function keptTextsIn({ private: kept }: Pick<StoredLeaf, 'private'>): KeptTexts | null {
  if (kept === null) return new Map()
  if (typeof kept !== 'object' || Array.isArray(kept)) return null
  const found = Object.entries(kept as Record<string, unknown>)
  if (found.length === 0 || !found.every(isKeptText)) return null
  return new Map(found as [string, { salt: string; text: string }][])
}

function isKeptText([, value]: readonly [string, unknown]): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false
  const { salt, text } = value as { readonly salt?: unknown; readonly text?: unknown }
  return typeof salt === 'string' && typeof text === 'string'
}

/** What the fixed bytes of a leaf say. */
export interface LeafContent {
  readonly kind: string
  readonly org: string
  readonly subject: string
  readonly actor: { readonly kind: string; readonly id?: string }
  readonly at: string
  readonly facts: Readonly<Record<string, unknown>>
  readonly committed?: Readonly<Record<string, string>>
}

/** @returns null for what is no leaf of a version that we know */
export function parseLeaf(content: string): LeafContent | null {
  try {
    const value = JSON.parse(content) as Partial<LeafContent> & { v?: unknown }
    const isLeaf =
      value.v === 1 &&
      [value.kind, value.org, value.subject, value.at].every((text) => typeof text === 'string') &&
      [value.facts, value.actor, value.committed ?? {}].every((part) => typeof part === 'object' && part !== null)
    return isLeaf ? (value as LeafContent) : null
  } catch {
    return null
  }
}

/** Where the columns beside a leaf's content say something else than the content. */
export function checkColumns(
  content: string,
  columns: { readonly org_id: string; readonly kind: string; readonly subject_id: string; readonly created_at: Date },
): { column: string; expected: string; found: string }[] {
  const told = parseLeaf(content)
  if (told === null) return [{ column: 'content', expected: 'a leaf of version 1', found: content }]
  const { org, kind, subject, at } = told
  const found = {
    org_id: [org, columns.org_id],
    kind: [kind, columns.kind],
    subject_id: [subject, columns.subject_id],
    created_at: [at, textOf(columns.created_at)],
  } as const
  return Object.entries(found).flatMap(([column, [expected, there]]) =>
    expected === there ? [] : [{ column, expected, found: there }],
  )
}
