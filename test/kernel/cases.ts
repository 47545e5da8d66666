/** One case of the campaign, and the seeded source of chance that the random ones are drawn from. */
import type { Policy } from '../../src/kernel/rule.ts'
import type { Beginning, Happening } from './naive.ts'

export interface Case {
  readonly policy: Policy
  readonly beginning: Beginning
  readonly happenings: readonly Happening[]
}

export const EXPIRES_AT = 100

export interface Chance {
  /** A whole number from 0 up to, not including, `count`. */
  below(count: number): number
  /** True about once in `times`. */
  onceIn(times: number): boolean
  oneOf<Item>(items: readonly Item[]): Item
}

/** The same seed gives the same sequence, on every machine (mulberry32 over a mixed seed). */
export function chance(seed: number, caseNumber: number): Chance {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(caseNumber + 1, 0xc2b2ae35)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    below,
    onceIn: (times) => below(times) === 0,
    oneOf: <Item>(items: readonly Item[]): Item => {
      const item = items[below(items.length)]
      if (item === undefined) throw new Error('nothing to choose from')
      return item
    },
  }
}
