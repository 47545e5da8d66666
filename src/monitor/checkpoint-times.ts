import type { Finder } from './finding.ts'

interface Timed {
  readonly size: number
  readonly at: Date
}

/** So far the clocks of the processes that seal may differ (as for data keys, src/store/data-keys.ts). */
const slackMilliseconds = 300_000

/** Tells of checkpoints whose times are not in the order of their sizes. They are given in that order. */
export class CheckpointTimes {
  readonly #find: Finder
  /** Whose times are in order; of two that are the wrong way round it is the one that does not fit behind the first of these. */
  #before: Timed | null = null
  #last: Timed | null = null

  constructor(find: Finder) {
    this.#find = find
  }

  add(next: Timed): void {
    const [before, last] = [this.#before, this.#last]
    if (last === null || !isAfter(last, next)) {
      this.#before = last
      this.#last = next
      return
    }
    const fitsBehind = before !== null && !isAfter(before, next)
    if (!fitsBehind) this.#tell(next, last)
    // Of the first two either may be the wrong one.
    if (fitsBehind || before === null) {
      this.#tell(last, next)
      this.#last = next
    }
  }

  #tell({ size, at }: Timed, other: Timed): void {
    const expected = `no time ${other.size < size ? 'before' : 'after'} that of ${other.size}, ${other.at.toISOString()}`
    this.#find('log_checkpoints', size, 'edited', { column: 'created_at', expected, found: at })
  }
}

function isAfter(one: Timed, other: Timed): boolean {
  return one.at.getTime() > other.at.getTime() + slackMilliseconds
}
