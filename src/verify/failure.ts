import { escaped } from './printed.ts'

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
  | 'time-reversed'
  | 'rule-violated'
  | 'undecided'

export interface Failure {
  readonly code: FailureCode
  /** One sentence, whatever the receipt has in it fit to be printed. */
  readonly detail: string
}

/** Characters; more is no sentence. */
const longestDetail = 1_000

export function failure(code: FailureCode, detail: string): Failure {
  return { code, detail: escaped(detail.length > longestDetail ? `${detail.slice(0, longestDetail)} …` : detail) }
}
