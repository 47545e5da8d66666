import { commitmentTo } from '../audit/leaf.ts'
import { ErasedText } from './erased-text.ts'
import type { Erasures } from './erasures.ts'
import { keptTextsIn, parseLeaf, type LeafContent, type StoredLeaf } from './leaf-content.ts'

/** What a leaf tells. */
export interface ToldLeaf {
  readonly id: string
  readonly kind: string
  readonly subject: string
  readonly actor: { readonly kind: string; readonly id?: string }
  readonly at: Date
  readonly facts: Readonly<Record<string, unknown>>
  /**
   * A text that the leaf commits to: null when it commits to none, `ErasedText` when it was erased lawfully, undefined when it is
   * gone otherwise or is not the one that it commits to.
   */
  text(name: string): ToldText
  /** The commitment to a text that stands elsewhere. */
  commitment(name: string): string | undefined
}

export type ToldText = string | ErasedText | null | undefined

/** @returns null for what is no leaf of a version that we know */
export function readLeaf(stored: StoredLeaf, erasures: Erasures): ToldLeaf | null {
  const content = parseLeaf(stored.content)
  if (content === null) return null
  const { kind, subject, actor, at, facts, committed = {} } = content
  const texts = keptTextsIn(stored)
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
      if (mayBeGone(content, stored.id, name, erasures)) return new ErasedText([subject])
      const kept = texts?.get(name)
      return kept !== undefined && commitmentTo(kept.salt, kept.text) === commitment ? kept.text : undefined
    },
    commitment: (name) => committed[name],
  }
}

/** What became of the texts beside a leaf. */
export interface TextsFound {
  /** What stands beside the leaf is nothing that a server keeps there. */
  readonly isNone: boolean
  /** Names of those that are not what the leaf commits to. */
  readonly wrong: readonly string[]
  /** Names of those that are gone, which no erasure tells of. */
  readonly gone: readonly string[]
  /** How many were erased lawfully. */
  readonly erased: number
}

export function checkTexts(stored: StoredLeaf, erasures: Erasures): TextsFound {
  const leaf = parseLeaf(stored.content)
  const kept = keptTextsIn(stored)
  const { committed = {}, kind } = leaf ?? {}
  const wrong = [...(kept ?? [])].flatMap(([name, { salt, text }]) =>
    committed[name] === commitmentTo(salt, text) ? [] : [name],
  )
  // A vote's reason stands with the vote.
  const beside = kind === 'vote.cast' ? [] : Object.keys(committed)
  const missing = beside.filter((name) => kept?.has(name) !== true)
  const gone = missing.filter((name) => leaf === null || !mayBeGone(leaf, stored.id, name, erasures))
  return { isNone: kept === null, wrong, gone, erased: missing.length - gone.length }
}

/** A text goes with its subject, and the name of a template that a role is on with that template too. */
function mayBeGone({ subject, facts }: LeafContent, leafId: string, name: string, erasures: Erasures): boolean {
  if (erasures.coversText(subject, name, leafId)) return true
  const [, role] = /^roles\[(\d+)\]\.templateName$/.exec(name) ?? []
  if (role === undefined) return false
  const { template } = (facts['roles'] as readonly { readonly template?: unknown }[] | undefined)?.[Number(role)] ?? {}
  return typeof template === 'string' && erasures.coversText(template, 'name', leafId)
}
