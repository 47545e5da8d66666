import { commitmentTo } from '../audit/leaf.ts'

/** A leaf as it is stored. */
export interface StoredLeaf {
  readonly id: string
  readonly content: string
  readonly private: Readonly<Record<string, { readonly salt: string; readonly text: string } | undefined>> | null
}

/** What a leaf tells. */
export interface ToldLeaf {
  readonly id: string
  readonly kind: string
  readonly subject: string
  readonly actor: { readonly kind: string; readonly id?: string }
  readonly at: Date
  readonly facts: Readonly<Record<string, unknown>>
  /**
   * A text that the leaf commits to: null when it commits to none, undefined when the text was erased or is not the one that
   * it commits to.
   */
  text(name: string): string | null | undefined
  /** The commitment to a text that stands elsewhere. */
  commitment(name: string): string | undefined
}

/** @returns null for what is no leaf of a version that we know */
export function readLeaf(stored: StoredLeaf): ToldLeaf | null {
  const content = parsed(stored.content)
  if (content === null) return null
  const { kind, subject, actor, at, facts, committed = {} } = content
  return {
    id: stored.id,
    kind,
    subject,
    actor,
    at: new Date(at),
    facts,
    text(name) {
      const commitment = committed[name]
      if (commitment === undefined) return null
      const kept = stored.private?.[name]
      return kept !== undefined && commitmentTo(kept.salt, kept.text) === commitment ? kept.text : undefined
    },
    commitment: (name) => committed[name],
  }
}

/** Names of the texts beside a leaf that are not those that it commits to, and how many were erased. */
export function checkTexts({ content, private: kept }: StoredLeaf): { wrong: string[]; erased: number } {
  const { committed = {}, kind } = parsed(content) ?? {}
  const wrong = Object.entries(kept ?? {}).flatMap(([name, text]) => {
    const isRight = text !== undefined && committed[name] === commitmentTo(text.salt, text.text)
    return isRight ? [] : [name]
  })
  // A vote's reason stands with the vote.
  const beside = kind === 'vote.cast' ? [] : Object.keys(committed)
  return { wrong, erased: beside.filter((name) => kept?.[name] === undefined).length }
}

interface Content {
  readonly kind: string
  readonly org: string
  readonly subject: string
  readonly actor: { readonly kind: string; readonly id?: string }
  readonly at: string
  readonly facts: Readonly<Record<string, unknown>>
  readonly committed?: Readonly<Record<string, string>>
}

/** Where the columns beside a leaf's content say something else than the content. */
export function checkColumns(
  content: string,
  columns: { readonly org_id: string; readonly kind: string; readonly subject_id: string; readonly created_at: Date },
): { column: string; expected: string; found: string }[] {
  const told = parsed(content)
  if (told === null) return [{ column: 'content', expected: 'a leaf of version 1', found: content }]
  const { org, kind, subject, at } = told
  const found = {
    org_id: [org, columns.org_id],
    kind: [kind, columns.kind],
    subject_id: [subject, columns.subject_id],
    created_at: [at, columns.created_at.toISOString()],
  } as const
  return Object.entries(found).flatMap(([column, [expected, there]]) =>
    expected === there ? [] : [{ column, expected, found: there }],
  )
}

function parsed(content: string): Content | null {
  try {
    const value = JSON.parse(content) as Partial<Content> & { v?: unknown }
    const isLeaf =
      value.v === 1 &&
      [value.kind, value.org, value.subject, value.at].every((text) => typeof text === 'string') &&
      [value.facts, value.actor].every((part) => typeof part === 'object' && part !== null)
    return isLeaf ? (value as Content) : null
  } catch {
    return null
  }
}
