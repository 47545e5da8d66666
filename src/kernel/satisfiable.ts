import { crowdOf, setOf, votersMissing } from './matching.ts'
import { neededBy } from './quorum.ts'
import { leavesOf, seatKey, type Policy, type Rule, type Seats, type SeatSource } from './rule.ts'
import { shortage } from './shortage.ts'
import { leavesBySeat } from './voter.ts'

/** How many eligible voters there are for a seat today. A seat that is not listed has none. */
export interface SeatSize {
  readonly seat: SeatSource
  readonly eligible: number
}

/** A branch that nobody can satisfy today. */
export interface UnsatisfiableBranch {
  /** As in `acceptPolicy`: `stages[0].rule.of[2]`. */
  readonly path: string
  readonly needed: number
  /** Of a seat the eligible voters; of a threshold the children that can be satisfied or, with `distinctPeople`, the voters. */
  readonly available: number
}

/**
 * The branches that nobody can satisfy today, in pre-order: a warning to whoever writes a policy, no reason to refuse
 * it, since groups fill up later.
 *
 * @example
 * unsatisfiable(policy, [{ seat: security, eligible: 1 }])
 * // [{ path: 'stages[0].rule', needed: 2, available: 1 }]
 */
export function unsatisfiable(
  { stages, options }: Policy,
  seatSizes: readonly SeatSize[],
): readonly UnsatisfiableBranch[] {
  const eligible = eligibleBySeat(seatSizes)
  return stages.flatMap(({ rule }, stage) => {
    const path = `stages[${stage}].rule`
    const branches = branchesBeyond(rule, eligible, path)
    if (!options.distinctPeople || branches.some((branch) => branch.path === path)) return branches
    return [...tooFewPeople(rule, eligible, path), ...branches]
  })
}

/**
 * Whether there are enough eligible voters to pass a stage.
 *
 * @example
 * isSatisfiable(policy, 1, [{ seat: security, eligible: 2 }])
 */
export function isSatisfiable(policy: Policy, stage: number, seatSizes: readonly SeatSize[]): boolean {
  const path = `stages[${stage}].rule`
  return !unsatisfiable(policy, seatSizes).some((branch) => branch.path === path)
}

/** Seats of one group that different people must fill. Of two groups the sizes do not say who is in both, so nothing is assumed. */
function tooFewPeople(rule: Rule, eligible: ReadonlyMap<string, number>, path: string): readonly UnsatisfiableBranch[] {
  const leaves = leavesOf(rule)
  const crowd = crowdOf(leaves.length, [])
  for (const [seat, places] of leavesBySeat(leaves)) {
    crowd[setOf(places.map(({ index }) => index))] = eligible.get(seat) ?? 0
  }
  const missing = votersMissing(rule, crowd)
  const needed = shortage(rule, (leaf) => neededBy(leaves[leaf] as Seats)).places
  return missing > 0 ? [{ path, needed, available: needed - missing }] : []
}

function branchesBeyond(
  rule: Rule,
  eligible: ReadonlyMap<string, number>,
  path: string,
): readonly UnsatisfiableBranch[] {
  const here = { path, needed: neededBy(rule), available: available(rule, eligible) }
  const own = here.available < here.needed ? [here] : []
  switch (rule.kind) {
    case 'seats':
      return own
    case 'threshold':
      return [...own, ...rule.of.flatMap((child, index) => branchesBeyond(child, eligible, `${path}.of[${index}]`))]
  }
}

function available(rule: Rule, eligible: ReadonlyMap<string, number>): number {
  switch (rule.kind) {
    case 'seats':
      return eligible.get(seatKey(rule.from)) ?? 0
    case 'threshold':
      return rule.of.filter((child) => available(child, eligible) >= neededBy(child)).length
  }
}

function eligibleBySeat(seatSizes: readonly SeatSize[]): ReadonlyMap<string, number> {
  return new Map(seatSizes.map(({ seat, eligible }) => [seatKey(seat), eligible]))
}
