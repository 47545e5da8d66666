import type { Candidate, Gauge } from './finishing.ts'
import { newGains, type VotersLeft } from './gains.ts'
import { neededBy } from './quorum.ts'
import { leavesOf, type Rule } from './rule.ts'
import { shortage } from './shortage.ts'

interface Counted {
  /** Voters per leaf. */
  readonly counts: readonly number[]
  readonly joined: readonly Candidate[]
}

/**
 * Measures a rule in which a voter counts for every seat they hold.
 *
 * @example
 * const gauge = countGauge(rule, [1, 0], candidates, votersLeft(2, candidates))
 * gauge.needed(gauge.start, 0) // 2
 */
export function countGauge(
  rule: Rule,
  held: readonly number[],
  candidates: readonly Candidate[],
  left: VotersLeft,
): Gauge<Counted> {
  const asked = leavesOf(rule).map(neededBy)
  const mostGained = Math.max(1, ...candidates.map(({ gains }) => gains.length))
  const missing = (counts: readonly number[], leaf: number) => Math.max(0, at(asked, leaf) - at(counts, leaf))

  return {
    start: { counts: held, joined: [] },
    cost: asked.length,
    join({ counts, joined }, candidate) {
      const gains = newGains(joined, candidate)
      if (!gains.some((leaf) => missing(counts, leaf) > 0)) return undefined
      const grown = counts.slice()
      for (const leaf of gains) grown[leaf] = at(grown, leaf) + 1
      return { counts: grown, joined: [...joined, candidate] }
    },
    needed({ counts }, next) {
      const { voters, places } = shortage(rule, (leaf) => {
        const short = missing(counts, leaf)
        return short > left(next, leaf) ? Infinity : short
      })
      return Math.max(voters, Math.ceil(places / mostGained))
    },
  }
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0
}
