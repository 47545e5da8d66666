/** What a refusal is on this wire; without a code of its own it has ours. */
export interface StatusAndCode {
  readonly status: number
  readonly code?: string
  /** The header WWW-Authenticate that goes with it (RFC 9110 section 11.6.1). */
  readonly challenge?: string
}
