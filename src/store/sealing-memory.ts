/**
 * What the sealer of this process has found wrong and told of, so that it tells it once and seals the rest. Nothing of it
 * needs to be known: a process that starts finds it again.
 */
export interface SealingMemory {
  /** Ids of the leaves that are not sealed though they can be found, by organization. */
  readonly refused: Map<string, readonly string[]>
  /** Why the log of an organization is not continued, by organization. */
  readonly stopped: Map<string, string>
}

export function createSealingMemory(): SealingMemory {
  return { refused: new Map(), stopped: new Map() }
}
