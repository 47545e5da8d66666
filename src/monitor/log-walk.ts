import type { Finder } from './finding.ts'
import type { Gathered, SeenLog } from './seen-log.ts'
import type { Trees } from './trees.ts'

/** What the checks of one log share while they go through it. */
export interface LogWalk {
  readonly find: Finder
  readonly origin: string
  /** What an earlier run saw; null on the first. */
  readonly seen: SeenLog | null
  readonly trees: Trees
  /** What is to be remembered of this run. */
  readonly gathered: Gathered
  /** Indexes of entries of which something was said already. */
  readonly reported: Set<number>
}
