import type { Policy } from '../kernel/rule.ts'
import type { Receipt } from '../proof/statement.ts'
import { checkDigests, checkLeaves } from './check-leaves.ts'
import { checkCheckpoint, checkInclusion, type TrustedLog } from './check-log.ts'
import { failure, type Failure } from './failure.ts'
import { openFile } from './open-file.ts'
import { readReceipt } from './read-receipt.ts'
import { asksForSignatures, inOrder, policyOf, replay } from './replay.ts'
import type { Trust } from './trust.ts'
import { checkVoterSignatures, type BelievedProofs } from './voter-signature.ts'

/** A receipt of which everything holds. */
export interface VerifiedReceipt {
  readonly receipt: Receipt
  readonly policy: Policy
  readonly log: TrustedLog
  readonly proofs: BelievedProofs
}

export type Verdict =
  | { readonly verdict: 'verified'; readonly verified: VerifiedReceipt }
  | { readonly verdict: 'refused'; readonly failures: readonly Failure[] }

/**
 * Checks a receipt in the order of docs/receipt.md, "What to check". Pure, and total over texts: what is not understood is
 * refused. It ends at the first step that does not hold, since the next ones would judge what is not to be believed.
 */
export function verifyReceipt(text: string, trust: Trust): Verdict {
  const verified = verify(text, trust)
  return 'code' in verified ? { verdict: 'refused', failures: [verified] } : { verdict: 'verified', verified }
}

function verify(text: string, trust: Trust): VerifiedReceipt | Failure {
  const sealed = openFile(text, trust)
  if ('code' in sealed) return sealed
  const read = readReceipt(sealed.envelope)
  if ('failure' in read) return read.failure
  const { statement } = read.receipt
  const { predicate } = statement
  const policy = policyOf(predicate)
  if ('code' in policy) return policy
  const log = checkCheckpoint(statement, sealed.key, trust)
  if ('code' in log) return log
  const wrong =
    checkInclusion(statement, log.checkpoint) ?? checkLeaves(read.receipt) ?? checkDigests(read.receipt, trust.policy)
  if (wrong !== null) return wrong
  const proofs = checkVoterSignatures(predicate, trust)
  if ('code' in proofs) return proofs
  const violated =
    checkContentIsThere(predicate, policy, trust) ?? checkTimes(predicate) ?? replay(predicate, policy, proofs)
  return violated ?? { receipt: predicate, policy, log, proofs }
}

/** Without it nothing that a voter signed says what for, by whom it was asked, and of what kind it is. */
function checkContentIsThere({ request }: Receipt, policy: Policy, trust: Trust): Failure | null {
  const isNeeded = trust.voterKeys.size > 0 || asksForSignatures(policy)
  if (!isNeeded || request.content !== null) return null
  return failure('content-missing', 'What was decided on was erased: nothing says any more what it is that was signed.')
}

/** The log is written as things happen, so that no time in it is before another one. */
function checkTimes({ request, votes, changes }: Receipt): Failure | null {
  let last = request.createdAt
  for (const { at, leaf } of inOrder(votes, changes)) {
    // Instants of one form compare as their texts do.
    if (at < last)
      return failure('time-reversed', `The entry ${leaf.index} of the log is of ${at}, after one of ${last}.`)
    last = at
  }
  return null
}
