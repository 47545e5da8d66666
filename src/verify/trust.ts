import type { KeyObject } from 'node:crypto'
import type { VerifierKey } from '../proof/note.ts'

/** What whoever verifies brings along, from elsewhere than the receipt. */
export interface Trust {
  /** Keys of the log: type Ed25519, at least one. */
  readonly keys: readonly VerifierKey[]
  /** Each of these witnesses must have cosigned. */
  readonly witnessKeys: readonly VerifierKey[]
  /** RSA keys by the id of the agent. */
  readonly voterKeys: ReadonlyMap<string, readonly KeyObject[]>
  /** Voters whose votes may stand on the server's word although voter keys are given. */
  readonly unsigned: ReadonlySet<string>
  /** The digest of the rule that is expected; null when any is taken. */
  readonly policy: string | null
}
