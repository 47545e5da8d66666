/** A log as it was signed. */
export interface KnownHead {
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

/**
 * What the sealer of this process has found wrong and told of, so that it tells it once and seals the rest, and how far it knows each
 * log. A process that starts finds again what is wrong; that a log was set back before it started it cannot tell.
 */
export interface SealingMemory {
  /** Ids of the leaves that are not sealed though they can be found, by organization. */
  readonly refused: Map<string, readonly string[]>
  /** Why the log of an organization is not continued, by organization. */
  readonly stopped: Map<string, string>
  /** The largest head that this process has signed, or gone on from, and that was committed, by organization. */
  readonly known: Map<string, KnownHead>
}

export function createSealingMemory(): SealingMemory {
  return { refused: new Map(), stopped: new Map(), known: new Map() }
}

/** Remembers a head, once it is committed; of those that are the larger is kept. */
export function rememberHead({ known }: SealingMemory, orgId: string, head: KnownHead): void {
  if (head.size > (known.get(orgId)?.size ?? 0)) known.set(orgId, head)
}
