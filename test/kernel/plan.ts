/** Which cases a campaign of a given size is made of. */
import type { Case } from './cases.ts'
import { largeCase, smallCase, smallCaseCount } from './exhaustive.ts'
import { randomCase } from './random.ts'

export interface Plan {
  readonly cases: number
  readonly seed: number
  /** Of the cases, how many are small worlds, larger worlds, and random. */
  readonly small: number
  readonly large: number
  readonly random: number
}

/** About two thirds are enumerated, of those up to two thirds from the smallest worlds: 1,000,000 cases try all of them. */
export function planOf(cases: number, seed: number): Plan {
  const enumerated = Math.ceil(cases * 0.65)
  const small = Math.min(smallCaseCount, Math.ceil((enumerated * 2) / 3))
  return { cases, seed, small, large: enumerated - small, random: cases - enumerated }
}

/** Any case of the plan by its number, the same on every machine. */
export function caseAt(plan: Plan, number: number): Case {
  if (number < plan.small) return smallCase(number)
  // Another seed starts elsewhere in the larger worlds.
  if (number < plan.small + plan.large) return largeCase(number - plan.small + plan.seed * 1_000_000_000)
  return randomCase(plan.seed, number - plan.small - plan.large)
}

/** A slice of so many cases, spread over everything that the whole plan would try and in no order. */
export function* slice(plan: Plan, count: number): Generator<Case> {
  for (let index = 0; index < count; index++) yield caseAt(plan, Math.floor(((index * GOLDEN) % 1) * plan.cases))
}

/** Multiples of the golden ratio, taken modulo one, keep away from each other. */
const GOLDEN = (Math.sqrt(5) - 1) / 2
