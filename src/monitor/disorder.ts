/**
 * Notes where the ids of leaves do not grow along the log. Within one batch of sealing they do, so where a tree is not the one
 * that was signed, these are the entries that were moved.
 */
export class Disorder {
  /** The last two entries. */
  readonly #window: { readonly index: number; readonly id: number }[] = []
  readonly #descents: { readonly at: number; readonly isBefore: boolean; isAfter: boolean }[] = []

  /** @param isFirst of a batch, where a descent means nothing */
  add(index: number, id: number, isFirst: boolean): void {
    const [previous, last] = this.#window.length > 1 ? this.#window : [undefined, this.#window[0]]
    const descent = this.#descents.at(-1)
    // With the larger one before a descent gone, the rest would be in order; or else with the smaller one behind it.
    if (descent?.at === index - 1 && previous !== undefined && previous.id >= id) descent.isAfter = false
    if (last !== undefined && last.id > id && !isFirst && this.#descents.length < mostDescents) {
      this.#descents.push({ at: index, isBefore: previous === undefined || previous.id < id, isAfter: true })
    }
    this.#window.push({ index, id })
    if (this.#window.length > 2) this.#window.shift()
  }

  /** Indexes of entries that are out of order from `start` up to, but not, `end`. */
  within(start: number, end: number): number[] {
    const found = this.#descents.flatMap(({ at, isBefore, isAfter }) => [
      ...(isBefore || !isAfter ? [at - 1] : []),
      ...(isAfter ? [at] : []),
    ])
    return [...new Set(found)].filter((index) => index >= start && index < end).toSorted((a, b) => a - b)
  }
}

const mostDescents = 10_000
