import { MAX_DISTINCT_LEAVES } from './matching.ts'

/** What a policy may be at most, so that everything the kernel does with it is bounded (design §3.5, point 10). */
export const LIMITS = {
  /** The root of a stage's rule is at depth 0. */
  depth: 8,
  /** Over all stages together. */
  nodes: 1000,
  stages: 10,
  /** In one stage, with `distinctPeople`. */
  distinctLeaves: MAX_DISTINCT_LEAVES,
  jsonBytes: 64 * 1024,
} as const
