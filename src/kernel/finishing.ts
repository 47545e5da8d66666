/** Someone who could vote, and what the vote would add. */
export interface Candidate {
  readonly principal: string
  readonly voter: string
  /** The leaves that would count the voter, and do not yet. */
  readonly gains: readonly number[]
  /** Candidates that are alike can stand in for each other in any set. */
  readonly alike: string
}

/** Measures how far a rule is from holding, as candidates join; `S` is whatever it keeps of those who have. */
export interface Gauge<S> {
  readonly start: S
  /** With the candidate, or undefined when a set that begins this way would hold as well without them. */
  join(standing: S, candidate: Candidate): S | undefined
  /** At least how many more are needed from candidates[next] on: 0 only when the rule holds, Infinity when they cannot do it. */
  needed(standing: S, next: number): number
  /** What one measurement costs, in steps. */
  readonly cost: number
}

export interface FinishingSets {
  readonly sets: readonly (readonly Candidate[])[]
  /** False when the work ran out before it was certain that these are the smallest. */
  readonly complete: boolean
}

/**
 * The smallest sets of candidates that make the rule hold, none of whom could be left out: by size, then in the order
 * in which the candidates are given.
 *
 * @example
 * smallestSets(gauge, [ben, cleo, dana], { sets: 20, work: 100_000 })
 */
export function smallestSets<S>(
  gauge: Gauge<S>,
  candidates: readonly Candidate[],
  limits: { readonly sets: number; readonly work: number },
): FinishingSets {
  const sets: (readonly Candidate[])[] = []
  let work = limits.work

  const join = (standing: S, candidate: Candidate): S | undefined => {
    work -= gauge.cost
    return gauge.join(standing, candidate)
  }
  const holdsWith = (set: readonly Candidate[]): boolean => {
    const standing = set.reduce((before, one) => join(before, one) ?? before, gauge.start)
    return gauge.needed(standing, candidates.length) === 0
  }
  const isMinimal = (set: readonly Candidate[]): boolean =>
    // Among the smallest ones nobody can be left out.
    sets.every(({ length }) => length === set.length) ||
    !set.some((one) => holdsWith(set.filter((each) => each !== one)))

  /** Finds the sets that begin with `chosen` and have `room` more, from candidates[next] on. True when larger ones may exist. */
  const extend = (standing: S, chosen: readonly Candidate[], next: number, room: number): boolean => {
    const least = gauge.needed(standing, next)
    if (least > room) return least < Infinity
    if (least === 0) {
      if (room === 0 && isMinimal(chosen)) sets.push(chosen)
      return false
    }

    // If one candidate leads nowhere, then those like them who come later, with fewer left to choose from, do not either.
    const hopeless = new Set<string>()
    let mayBeLarger = false
    for (let index = next; index < candidates.length; index++) {
      if (work <= 0 || sets.length === limits.sets) break
      const candidate = candidates[index] as Candidate
      if (hopeless.has(candidate.alike)) continue
      const before = sets.length
      const joined = join(standing, candidate)
      if (joined && extend(joined, [...chosen, candidate], index + 1, room - 1)) mayBeLarger = true
      if (sets.length === before) hopeless.add(candidate.alike)
    }
    return mayBeLarger
  }

  let size = gauge.needed(gauge.start, 0)
  while (size < Infinity && extend(gauge.start, [], 0, size)) size += 1
  return { sets, complete: work > 0 || sets.length === limits.sets }
}
