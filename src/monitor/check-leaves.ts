import type { Finder } from './finding.ts'
import type { LeafRow } from './log-entries.ts'
import { replay, type Told } from './replay.ts'
import { checkColumns, checkTexts, readLeaf, type StoredLeaf } from './told-leaf.ts'

/** Checks leaves by themselves, in the order in which they are given, and replays what they tell. */
export class LeafCheck {
  readonly #find: Finder
  readonly #told: Told
  #erased = 0

  constructor(find: Finder, told: Told) {
    this.#find = find
    this.#told = told
  }

  /** Texts that leaves commit to and that are no more. */
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
    const { wrong, erased } = checkTexts(stored)
    for (const name of wrong) this.#find('audit_leaves', stored.id, 'edited', { column: `private.${name}` })
    this.#erased += erased
    const leaf = readLeaf(stored)
    if (leaf === null) return
    try {
      replay(this.#told, leaf)
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      this.#find('audit_leaves', stored.id, 'edited', { column: 'facts', expected: `those of ${leaf.kind}` })
    }
  }
}
