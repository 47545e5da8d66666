/** Why a receipt is refused (docs/receipt.md, "Verdict"). */
export type FailureCode =
  | 'malformed'
  | 'unknown-version'
  | 'unknown-key'
  | 'bad-signature'
  | 'bad-checkpoint'
  | 'witness-missing'
  | 'not-in-log'
  | 'leaf-mismatch'
  | 'bad-digest'
  | 'other-policy'
  | 'bad-voter-signature'
  | 'voter-key-missing'
  | 'content-missing'
  | 'rule-violated'
  | 'undecided'

export interface Failure {
  readonly code: FailureCode
  /** One sentence. */
  readonly detail: string
}

export function failure(code: FailureCode, detail: string): Failure {
  return { code, detail }
}
