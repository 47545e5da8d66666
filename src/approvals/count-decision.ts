import type { Ctx } from '../context.ts'
import type { Status } from '../kernel/request.ts'

/** A request that came to another status. */
export interface Decision {
  readonly status: Status
  /** Whether nothing can follow it. */
  readonly isFinal: boolean
  readonly openedAt: Date
  readonly at: Date
}

/** Counts a decision, and how long it took when it ended the request. To be called once it is committed, and once. */
export function countDecision({ metrics }: Pick<Ctx, 'metrics'>, { status, isFinal, openedAt, at }: Decision): void {
  metrics.decisions.inc({ status })
  if (isFinal) metrics.decisionSeconds.observe({ status }, (at.getTime() - openedAt.getTime()) / 1000)
}
