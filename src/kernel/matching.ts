import { holds, neededBy } from './quorum.ts'
import { leavesOf, type Rule, type Seats } from './rule.ts'

/** Every set of leaves is looked at, 2^16 of them at most. */
export const MAX_DISTINCT_LEAVES = 16

/**
 * Whether a rule holds when no voter may fill two leaves: some leaves that make it hold can all be filled at once.
 * Each voter is given as the leaves they could fill.
 *
 * @example
 * holdsDistinctly(securityAndFinance, [new Set([0, 1])]) // false: one voter, two leaves
 */
export function holdsDistinctly(rule: Rule, voters: readonly ReadonlySet<number>[]): boolean {
  const leaves = leavesOf(rule)
  // No such rule is accepted. Were one to come, it could not be counted exactly, so it does not hold.
  if (leaves.length > MAX_DISTINCT_LEAVES) return false
  const missing = missingPerSet(leaves, voters)
  return missing.some((_, set) => isLargestFilled(missing, set, leaves.length) && holdsBySet(rule, set))
}

/**
 * For each set of leaves (as bits), how many voters are missing to fill all of it with no voter used twice. By Hall's
 * theorem that is the largest shortage among its subsets: what a subset asks for beyond the voters who could fill any of it.
 *
 * @example
 * missingPerSet([security, finance], [new Set([0, 1])]) // Float64Array [0, 0, 0, 1]
 */
export function missingPerSet(leaves: readonly Seats[], voters: readonly ReadonlySet<number>[]): Float64Array {
  const everyLeaf = 2 ** leaves.length - 1
  const confined = votersConfinedTo(leaves.length, voters)
  const asked = new Float64Array(everyLeaf + 1)
  const missing = new Float64Array(everyLeaf + 1)
  for (let set = 1; set <= everyLeaf; set++) {
    forEachLeaf(set, leaves.length, (leaf, rest) => {
      asked[set] = at(asked, rest) + neededBy(leaves[leaf] as Seats)
      missing[set] = Math.max(at(missing, set), at(missing, rest))
    })
    const useful = voters.length - at(confined, everyLeaf - set)
    missing[set] = Math.max(at(missing, set), at(asked, set) - useful)
  }
  return missing
}

/** For each set of leaves, how many voters could fill nothing outside it. */
function votersConfinedTo(size: number, voters: readonly ReadonlySet<number>[]): Float64Array {
  const confined = new Float64Array(2 ** size)
  for (const voter of voters) {
    const set = [...voter].reduce((bits, leaf) => bits + 2 ** leaf, 0)
    confined[set] = at(confined, set) + 1
  }
  // Sum over subsets, one leaf at a time.
  for (let leaf = 0; leaf < size; leaf++) {
    const bit = 1 << leaf
    for (let set = bit; set < confined.length; set++) {
      if (set & bit) confined[set] = at(confined, set) + at(confined, set ^ bit)
    }
  }
  return confined
}

/** A rule never stops holding when one more leaf is filled, so only the largest sets need be asked. */
function isLargestFilled(missing: Float64Array, set: number, size: number): boolean {
  if (at(missing, set) > 0) return false
  for (let leaf = 0; leaf < size; leaf++) {
    const larger = set | (1 << leaf)
    if (larger !== set && at(missing, larger) === 0) return false
  }
  return true
}

function holdsBySet(rule: Rule, set: number): boolean {
  return holds(rule, (_, leaf) => (set & (1 << leaf)) !== 0)
}

function forEachLeaf(set: number, size: number, visit: (leaf: number, rest: number) => void): void {
  for (let leaf = 0; leaf < size; leaf++) {
    const bit = 1 << leaf
    if (set & bit) visit(leaf, set ^ bit)
  }
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0
}
