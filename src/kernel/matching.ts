import { neededBy } from './quorum.ts'
import { leavesOf, type Rule, type Seats } from './rule.ts'

/** Every set of leaves is looked at, 2^16 of them at most. */
export const MAX_DISTINCT_LEAVES = 16

/** How many voters could fill exactly this set of leaves, for every set (a set of leaves is a number, one bit for each). */
export type Crowd = Float64Array

/**
 * Whether a rule holds when no voter may fill two leaves: some set of leaves that makes it hold can be filled at once.
 * Each voter is given as the leaves they could fill.
 *
 * @example
 * holdsDistinctly(securityAndFinance, [new Set([0, 1])]) // false: one voter, two leaves
 */
export function holdsDistinctly(rule: Rule, voters: readonly ReadonlySet<number>[]): boolean {
  const leaves = leavesOf(rule)
  // No such rule is accepted. Were one to come, it could not be counted exactly, so it does not hold.
  if (leaves.length > MAX_DISTINCT_LEAVES) return false
  return votersMissing(rule, crowdOf(leaves.length, voters)) === 0
}

/**
 * How many voters more a rule needs when none may fill two leaves.
 *
 * @example
 * votersMissing(securityAndFinance, crowdOf(2, [new Set([0, 1])])) // 1
 */
export function votersMissing(rule: Rule, crowd: Crowd): number {
  const sufficient = sufficientSets(rule)
  const missing = missingPerSet(leavesOf(rule), crowd)
  return missing.reduce((least, voters, set) => (sufficient[set] ? Math.min(least, voters) : least), Infinity)
}

/**
 * The voters as a crowd.
 *
 * @example
 * crowdOf(2, [new Set([1]), new Set([0, 1])]) // Float64Array [0, 0, 1, 1]
 */
export function crowdOf(leaves: number, voters: Iterable<ReadonlySet<number>>): Crowd {
  const crowd = new Float64Array(2 ** leaves)
  for (const voter of voters) {
    const set = setOf(voter)
    crowd[set] = at(crowd, set) + 1
  }
  return crowd
}

/**
 * Leaves as a set in one number.
 *
 * @example
 * setOf([0, 2]) // 5
 */
export function setOf(leaves: Iterable<number>): number {
  let set = 0
  for (const leaf of leaves) set |= 1 << leaf
  return set
}

/**
 * For each set of leaves, 1 when the rule holds once all of it is filled.
 *
 * @example
 * sufficientSets(securityOrFinance) // Uint8Array [0, 1, 1, 1]
 */
export function sufficientSets(rule: Rule): Uint8Array {
  const sets = 2 ** leavesOf(rule).length
  let nextLeaf = 1
  /** Adds 1 to each set that makes the node hold. */
  const addTo = (held: Uint8Array, node: Rule): void => {
    switch (node.kind) {
      case 'seats': {
        const leaf = nextLeaf
        nextLeaf <<= 1
        for (let set = leaf; set < sets; set = (set + 1) | leaf) held[set] = at(held, set) + 1
        return
      }
      case 'threshold': {
        const children = new Uint8Array(sets)
        for (const child of node.of) addTo(children, child)
        const needed = neededBy(node)
        children.forEach((count, set) => {
          if (count >= needed) held[set] = at(held, set) + 1
        })
      }
    }
  }
  const sufficient = new Uint8Array(sets)
  addTo(sufficient, rule)
  return sufficient
}

/**
 * For each set of leaves, how many voters are missing to fill all of it with no voter used twice. By Hall's theorem
 * that is the largest shortage among its subsets: what a subset asks for beyond the voters who could fill any of it.
 *
 * @example
 * missingPerSet([security, finance], crowdOf(2, [new Set([0, 1])])) // Float64Array [0, 0, 0, 1]
 */
export function missingPerSet(leaves: readonly Seats[], crowd: Crowd): Float64Array {
  const confined = votersConfined(crowd)
  const everyLeaf = crowd.length - 1
  const asked = askedPerSet(leaves)
  const missing = new Float64Array(crowd.length)
  for (let set = 1; set <= everyLeaf; set++) {
    const useful = at(confined, everyLeaf) - at(confined, everyLeaf ^ set)
    missing[set] = at(asked, set) - useful
  }
  for (let leaf = 1; leaf <= everyLeaf; leaf <<= 1) {
    for (let set = leaf; set <= everyLeaf; set = (set + 1) | leaf) {
      missing[set] = Math.max(at(missing, set), at(missing, set ^ leaf))
    }
  }
  return missing
}

/** For each set of leaves, how many voters could fill nothing outside it: a sum over its subsets, leaf by leaf. */
function votersConfined(crowd: Crowd): Float64Array {
  const confined = crowd.slice()
  for (let leaf = 1; leaf < confined.length; leaf <<= 1) {
    for (let set = leaf; set < confined.length; set = (set + 1) | leaf) {
      confined[set] = at(confined, set) + at(confined, set ^ leaf)
    }
  }
  return confined
}

/** For each set of leaves, how many voters fill it, none being used twice. */
function askedPerSet(leaves: readonly Seats[]): Float64Array {
  const asked = new Float64Array(2 ** leaves.length)
  leaves.forEach((leaf, index) => {
    const needed = neededBy(leaf)
    // The sets of the leaves before this one are done: with it they ask for as many more.
    for (let set = 0; set < 1 << index; set++) asked[set + (1 << index)] = at(asked, set) + needed
  })
  return asked
}

function at(values: Float64Array | Uint8Array, index: number): number {
  return values[index] ?? 0
}
