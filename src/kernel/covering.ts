import type { Candidate } from './finishing.ts'
import { newGains, type VotersLeft } from './gains.ts'
import { neededBy } from './quorum.ts'
import type { Rule } from './rule.ts'

/** The places to fill in one way of satisfying a rule. */
interface Way {
  readonly places: number
  /** How many voters each leaf is short of. */
  readonly leaves: readonly (readonly [leaf: number, short: number])[]
}

/**
 * One set of candidates that makes a rule hold, found at once and not always the smallest: it goes for the branches
 * that are short of the fewest places, and takes first who fills most of them. The rule must be satisfiable.
 *
 * @example
 * coveringSet(rule, [1, 0], candidates, votersLeft(2, candidates)) // [ben, dana]
 */
export function coveringSet(
  rule: Rule,
  held: readonly number[],
  candidates: readonly Candidate[],
  left: VotersLeft,
): readonly Candidate[] {
  const short = new Map(cheapestWay(rule, held, left).leaves)
  const shortOf = (leaf: number) => short.get(leaf) ?? 0
  const uses = candidates.map((one) => ({ one, use: one.gains.filter((leaf) => shortOf(leaf) > 0).length }))

  const chosen: Candidate[] = []
  for (const { one } of uses.toSorted((a, b) => b.use - a.use)) {
    const filled = newGains(chosen, one).filter((leaf) => shortOf(leaf) > 0)
    if (filled.length > 0) chosen.push(one)
    for (const leaf of filled) short.set(leaf, shortOf(leaf) - 1)
  }
  return chosen
}

function cheapestWay(rule: Rule, held: readonly number[], left: VotersLeft): Way {
  let next = 0
  const visit = (node: Rule): Way => {
    switch (node.kind) {
      case 'seats': {
        const leaf = next++
        const short = Math.max(0, neededBy(node) - (held[leaf] ?? 0))
        return { places: short > left(0, leaf) ? Infinity : short, leaves: [[leaf, short]] }
      }
      case 'threshold': {
        const ways = node.of.map(visit).toSorted((a, b) => a.places - b.places)
        const taken = ways.slice(0, neededBy(node))
        return { places: taken.reduce((sum, way) => sum + way.places, 0), leaves: taken.flatMap((way) => way.leaves) }
      }
    }
  }
  return visit(rule)
}
