import type { RequestState, Tally } from './request.ts'
import { leavesOf, type Policy, type Seats } from './rule.ts'

/**
 * The leaves of one stage; none when there is no such stage, so that nobody holds a seat in it.
 *
 * @example
 * const open = leavesOfStage(policy, state.stage)
 */
export function leavesOfStage(policy: Policy, stage: number): readonly Seats[] {
  const rule = policy.stages[stage]?.rule
  return rule ? leavesOf(rule) : []
}

/**
 * What stands in a stage that has just opened: nothing.
 *
 * @example
 * emptyTally(policy, 0) // { approvals: [0, 0], vetoes: 0 }
 */
export function emptyTally(policy: Policy, stage: number): Tally {
  return { approvals: leavesOfStage(policy, stage).map(() => 0), vetoes: 0 }
}

/**
 * Leaves the open stage behind for good. The next one starts empty; when no binding stage is left the request is
 * approved, and advisory stages after the last binding one are not waited for (ADR 1, point 3).
 *
 * @example
 * pass(twoStages, { ...state, stage: 0 }) // stage 1, still open
 */
export function pass(policy: Policy, state: RequestState): RequestState {
  const stage = state.stage + 1
  const undecided = policy.stages.slice(stage).some(({ binding }) => binding)
  return {
    ...state,
    stage,
    status: undecided ? 'open' : 'approved',
    tally: emptyTally(policy, stage),
  }
}
