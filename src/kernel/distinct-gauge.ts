import type { Candidate, Gauge } from './finishing.ts'
import { crowdOf, missingPerSet, setOf, sufficientSets, type Crowd } from './matching.ts'
import { leavesOf, type Rule } from './rule.ts'

interface Matched {
  /** The leaves that each voter could fill. */
  readonly crowd: Crowd
  /** How many voters are missing to fill each set of leaves. */
  readonly missing: Float64Array
  readonly joined: readonly Candidate[]
}

/**
 * Measures a rule in which no voter may fill two leaves; `held` are the leaves that each voter could fill already.
 *
 * @example
 * const gauge = distinctGauge(rule, new Map([['principal:ben', new Set([0, 1])]]), candidates)
 * gauge.needed(gauge.start, 0) // 1
 */
export function distinctGauge(
  rule: Rule,
  held: ReadonlyMap<string, ReadonlySet<number>>,
  candidates: readonly Candidate[],
): Gauge<Matched> {
  const leaves = leavesOf(rule)
  const sufficient = sufficientSets(rule)
  const measured = (crowd: Crowd, joined: readonly Candidate[]): Matched => {
    return { crowd, joined, missing: missingPerSet(leaves, crowd) }
  }
  const crowdWith = ({ crowd, joined }: Pick<Matched, 'crowd' | 'joined'>, candidate: Candidate): Crowd => {
    const same = joined.filter(({ voter }) => voter === candidate.voter)
    const before = setOf([...(held.get(candidate.voter) ?? []), ...same.flatMap(({ gains }) => gains)])
    return moved(crowd, before, before | setOf(candidate.gains))
  }
  const start = measured(crowdOf(leaves.length, held.values()), [])
  const missingAtLast = missingPerSet(leaves, crowdOf(leaves.length, withEveryone(held, candidates)))
  const targets = [...sufficient.keys()].filter((set) => sufficient[set] === 1 && missingAtLast[set] === 0)

  // The sets of new voters who can fill a set of leaves together form a matroid: who brings it no nearer now never will.
  // That is lost once someone who is already seated, and may move to another leaf, is among the candidates.
  const anyoneReturns =
    new Set([...held.keys(), ...candidates.map(({ voter }) => voter)]).size < held.size + candidates.length

  return {
    start,
    cost: sufficient.length / 5,
    join(standing, candidate) {
      const grown = measured(crowdWith(standing, candidate), [...standing.joined, candidate])
      const isNearer = () => targets.some((set) => at(grown.missing, set) < at(standing.missing, set))
      return anyoneReturns || isNearer() ? grown : undefined
    },
    needed({ missing }) {
      return targets.reduce((least, set) => Math.min(least, at(missing, set)), Infinity)
    },
  }
}

/** What each voter could fill if every candidate voted. */
function withEveryone(
  held: ReadonlyMap<string, ReadonlySet<number>>,
  candidates: readonly Candidate[],
): readonly ReadonlySet<number>[] {
  const voters = new Map(held)
  for (const { voter, gains } of candidates) voters.set(voter, new Set([...(voters.get(voter) ?? []), ...gains]))
  return [...voters.values()]
}

/** A voter who could fill `before` can now fill `after`. How many could fill nothing makes no difference to anyone. */
function moved(crowd: Crowd, before: number, after: number): Crowd {
  const next = crowd.slice()
  next[before] = at(next, before) - 1
  next[after] = at(next, after) + 1
  return next
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0
}
