import type { Erasures } from './erasures.ts'
import type { Finder } from './finding.ts'
import { guarded } from './guarded.ts'
import { checkColumns, type StoredLeaf } from './leaf-content.ts'
import type { LeafRow } from './log-entries.ts'
import { replay, type Told } from './replay.ts'
import { checkTexts, readLeaf } from './told-leaf.ts'

/** Checks leaves by themselves, in the order in which they are given, and replays what they tell. */
export class LeafCheck {
  readonly #find: Finder
  readonly #told: Told
  readonly #erasures: Erasures
  #erased = 0

  constructor(find: Finder, told: Told, erasures: Erasures) {
    this.#find = find
    this.#told = told
    this.#erasures = erasures
  }

  /** Texts that leaves commit to and that were erased lawfully. */
  get erased(): number {
    return this.#erased
  }

  /** @returns whether the columns beside the content say what it says */
  checkRow(id: string, row: Omit<LeafRow, 'id'>): boolean {
    const wrong = checkColumns(row.content, row)
    for (const { column, ...differs } of wrong) this.#find('audit_leaves', id, 'edited', { column, ...differs })
    return wrong.length === 0
  }

  take(stored: StoredLeaf): void {
    const { isNone, wrong, gone, erased } = checkTexts(stored, this.#erasures)
    if (isNone) {
      const expected = 'texts with their salts, or nothing'
      this.#find('audit_leaves', stored.id, 'edited', { column: 'private', expected, found: stored.private })
    }
    for (const name of wrong) this.#find('audit_leaves', stored.id, 'edited', { column: `private.${name}` })
    for (const name of gone) {
      const expected = 'the text, or a leaf that tells of its erasure'
      this.#find('audit_leaves', stored.id, 'edited', { column: `private.${name}`, expected, found: 'neither' })
    }
    this.#erased += erased
    const leaf = readLeaf(stored, this.#erasures)
    if (leaf === null) return
    const expected = `those of ${leaf.kind}`
    guarded(this.#find, { table: 'audit_leaves', key: stored.id, column: 'facts', expected }, () =>
      replay(this.#told, leaf),
    )
  }
}
