import { neededBy } from './quorum.ts'
import type { Assurance, Rule, SeatSource } from './rule.ts'

interface Progress {
  /** Of a seat the voters who count, of a threshold the children that hold. */
  readonly held: number
  readonly needed: number
  readonly missing: number
  readonly isSatisfied: boolean
  /** Whether those who can still vote would be enough, this branch taken alone. */
  readonly isSatisfiable: boolean
}

export interface SeatsBranch extends Progress {
  readonly kind: 'seats'
  readonly from: SeatSource
  readonly assurance: readonly Assurance[]
}

export interface ThresholdBranch extends Progress {
  readonly kind: 'threshold'
  readonly of: readonly Branch[]
}

/** A rule with what stands of it. */
export type Branch = SeatsBranch | ThresholdBranch

/**
 * A rule as a tree of what stands and what is missing. `held` are the voters behind each leaf (in pre-order), `reach`
 * the most it could come to.
 *
 * @example
 * branchesOf(rule, [1, 0], [2, 3]) // { kind: 'threshold', held: 0, needed: 2, missing: 2, … }
 */
export function branchesOf(rule: Rule, held: readonly number[], reach: readonly number[]): Branch {
  let next = 0
  const visit = (node: Rule): Branch => {
    switch (node.kind) {
      case 'seats': {
        const leaf = next++
        const progress = progressOf(neededBy(node), held[leaf] ?? 0, reach[leaf] ?? 0)
        return { kind: 'seats', from: node.from, assurance: node.assurance ?? [], ...progress }
      }
      case 'threshold': {
        const of = node.of.map(visit)
        const satisfied = of.filter((child) => child.isSatisfied).length
        const satisfiable = of.filter((child) => child.isSatisfiable).length
        return { kind: 'threshold', of, ...progressOf(neededBy(node), satisfied, satisfiable) }
      }
    }
  }
  return visit(rule)
}

function progressOf(needed: number, held: number, reach: number): Progress {
  return {
    held,
    needed,
    missing: Math.max(0, needed - held),
    isSatisfied: held >= needed,
    isSatisfiable: reach >= needed,
  }
}
