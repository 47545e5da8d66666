import type { KeyObject } from 'node:crypto'
import type { VerifierKey } from '../proof/note.ts'

/** What whoever verifies brings along, from elsewhere than the receipt. */
export interface Trust {
  /** Keys of the log: type Ed25519, at least one. */
  readonly keys: readonly VerifierKey[]
  /** Each of these witnesses must have cosigned. */
  readonly witnessKeys: readonly VerifierKey[]
  /** By the id of the voter: RSA keys of agents, and P-256 keys of people's security keys. */
  readonly voterKeys: ReadonlyMap<string, readonly KeyObject[]>
  /** Voters whose votes may stand on the server's word although voter keys are given. */
  readonly unsigned: ReadonlySet<string>
  /** A security key proves nothing unless it is one of those given of its voter. */
  readonly needsOwnKeys: boolean
  /** The digest of the rule that is expected; null when any is taken. */
  readonly policy: string | null
}
