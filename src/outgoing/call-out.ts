import type { GuardConfig } from '../config/delivery.ts'
import type { Network } from './network.ts'

export interface OutgoingCall {
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly headers: Readonly<Record<string, string>>
  /** Null for none. */
  readonly body: string | null
  readonly timeoutMilliseconds: number
}

/** What came of a call. A refused one never left this machine and is not worth another try. */
export type OutgoingOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly body: Buffer; readonly isWhole: boolean }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

/** Makes one HTTP call to an address that a user supplied. */
export async function callOut(_network: Network, _guard: GuardConfig, _call: OutgoingCall): Promise<OutgoingOutcome> {
  throw new Error('not written yet')
}
