/** Numbers that look random and come back with the same seed, so that a failure can be seen again. */
export interface Dice {
  /** From 0 up to, but not, 1. */
  next(): number
  /** A whole number from 0 up to, but not, `sides`. */
  readonly roll: (sides: number) => number
  readonly pick: <T>(from: readonly T[]) => T
  shuffled<T>(from: readonly T[]): T[]
}

// mulberry32: small, and good enough to vary a test.
export function dice(seed: number): Dice {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const roll = (sides: number) => Math.floor(next() * sides)
  return {
    next,
    roll,
    pick: <T>(from: readonly T[]) => from[roll(from.length)] as T,
    shuffled: (from) =>
      from
        .map((value) => ({ value, at: next() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ value }) => value),
  }
}
