import { LRUCache } from 'lru-cache'

/** An attempt that took this long and failed has cost more than a failure: the room of many others. */
const slowMilliseconds = 3_000
/** So many of them in a row, and a destination is let alone. */
const slowInARow = 8
const firstRestMilliseconds = 5_000
const maxRestMilliseconds = 10_000

interface Standing {
  slow: number
  restsUntil: number
  restMilliseconds: number
}

/** How much longer this process waits for destinations that do not answer. What it has learned is its own and may be lost. */
export interface Patience {
  /** Whether an attempt may be made now. After a rest one is, and what comes of it decides about the next. */
  allows(destination: string, now: number): boolean
  learn(destination: string, attempt: { readonly failed: boolean; readonly milliseconds: number }, now: number): void
}

/**
 * A destination that hangs would fill the queue at the pace of its timeouts: once it has hung `slowInARow` times, attempts
 * fail at once until it has rested. One that refuses or answers with an error costs nothing and is asked every time.
 */
export function createPatience(): Patience {
  const standings = new LRUCache<string, Standing>({ max: 10_000 })
  return {
    allows(destination, now) {
      const standing = standings.get(destination)
      if (standing === undefined || standing.slow < slowInARow) return true
      if (now < standing.restsUntil) return false
      // The one that finds out; the others rest until it has.
      standing.restsUntil = now + standing.restMilliseconds
      return true
    },
    learn(destination, { failed, milliseconds }, now) {
      if (!failed || milliseconds < slowMilliseconds) {
        standings.delete(destination)
        return
      }
      const standing = standings.get(destination) ?? { slow: 0, restsUntil: 0, restMilliseconds: firstRestMilliseconds }
      standing.slow++
      if (standing.slow > slowInARow) standing.restMilliseconds = maxRestMilliseconds
      standing.restsUntil = now + standing.restMilliseconds
      standings.set(destination, standing)
    },
  }
}
