import { neededBy } from './quorum.ts'
import type { Rule } from './rule.ts'

/** What a rule is short of, at least. Infinity when it cannot hold. */
export interface Shortage {
  /** Distinct voters, each filling whatever they can. */
  readonly voters: number
  /** Places in leaves, one voter in one leaf being one. */
  readonly places: number
}

/**
 * Lower bounds of what a rule is short of, from what each leaf (by its place in pre-order) is short of. A voter may fill
 * several leaves, so a threshold is short of as many voters as the last of its children that are easiest to satisfy,
 * but of the places of all of them.
 *
 * @example
 * shortage(securityAndFinance, (leaf) => [2, 1][leaf]) // { voters: 2, places: 3 }
 */
export function shortage(rule: Rule, ofLeaf: (leaf: number) => number): Shortage {
  let next = 0
  const visit = (node: Rule): Shortage => {
    switch (node.kind) {
      case 'seats': {
        const short = ofLeaf(next++)
        return { voters: short, places: short }
      }
      case 'threshold': {
        const children = node.of.map(visit)
        const voters = smallest(
          children.map((child) => child.voters),
          neededBy(node),
        )
        const places = smallest(
          children.map((child) => child.places),
          neededBy(node),
        )
        return { voters: voters.at(-1) ?? Infinity, places: places.reduce((sum, each) => sum + each, 0) }
      }
    }
  }
  return visit(rule)
}

/** The `count` smallest values, the largest of them last; an endless one when there are not as many. */
function smallest(values: readonly number[], count: number): readonly number[] {
  if (count > values.length) return [Infinity]
  return values.toSorted((a, b) => a - b).slice(0, count)
}
