import type { Candidate } from './finishing.ts'

/** For a leaf, how many distinct voters among candidates[next] and those after could still fill it. */
export type VotersLeft = (next: number, leaf: number) => number

/**
 * What a candidate adds beside those who joined before: a voter counts once, also through two principals.
 *
 * @example
 * newGains([benHimself], agentOfBen) // the leaves that only the agent fills
 */
export function newGains(joined: readonly Candidate[], candidate: Candidate): readonly number[] {
  const same = joined.filter(({ voter }) => voter === candidate.voter)
  return candidate.gains.filter((leaf) => !same.some(({ gains }) => gains.includes(leaf)))
}

/**
 * Counted once for every `next`, from the last candidate backwards.
 *
 * @example
 * votersLeft(1, [ben, cleo])(1, 0) // 1: cleo
 */
export function votersLeft(leaves: number, candidates: readonly Candidate[]): VotersLeft {
  const table = new Int32Array((candidates.length + 1) * leaves)
  const later = new Map<string, readonly Candidate[]>()
  for (const [index, candidate] of [...candidates.entries()].toReversed()) {
    const row = index * leaves
    table.copyWithin(row, row + leaves, row + 2 * leaves)
    const same = later.get(candidate.voter) ?? []
    for (const leaf of newGains(same, candidate)) table[row + leaf] = (table[row + leaf] ?? 0) + 1
    later.set(candidate.voter, [...same, candidate])
  }
  return (next, leaf) => table[next * leaves + leaf] ?? 0
}
