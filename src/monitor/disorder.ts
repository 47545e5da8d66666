/**
 * Notes where the ids of leaves do not grow along the log. Within one batch of sealing they do, so where a tree is not the one
 * that was signed, these are the entries that were moved.
 */
export class Disorder {
  /** The last three entries. */
  readonly #window: { readonly index: number; readonly id: number }[] = []
  readonly #descents: { readonly before: boolean; readonly at: number; after: boolean }[] = []

  add(index: number, id: number): void {
    const [previous, last] = [this.#window.at(-2), this.#window.at(-1)]
    const descent = this.#descents.at(-1)
    // Without the larger one before it, the smaller one would be where it belongs; and the other way round.
    if (descent?.at === index - 1 && last !== undefined && previous !== undefined && previous.id >= id) {
      descent.after = false
    }
    if (last !== undefined && last.id > id && this.#descents.length < mostDescents) {
      this.#descents.push({ at: index, before: previous === undefined || previous.id < id, after: true })
    }
    this.#window.push({ index, id })
    if (this.#window.length > 3) this.#window.shift()
  }

  /** Indexes of entries that are out of order from `start` up to, but not, `end`. @param isBoundary where batches begin */
  within(start: number, end: number, isBoundary: (index: number) => boolean): number[] {
    const found = new Set<number>()
    for (const { at, before, after } of this.#descents) {
      if (isBoundary(at)) continue
      if (before || !after) found.add(at - 1)
      if (after) found.add(at)
    }
    return [...found].filter((index) => index >= start && index < end).toSorted((a, b) => a - b)
  }
}

const mostDescents = 10_000
