import type { KeyObject } from 'node:crypto'
import { readKeyEvidence } from '../proof/key-evidence.ts'
import type { Receipt, ReceiptVote } from '../proof/statement.ts'
import { failure, type Failure } from './failure.ts'

/**
 * What a voter's security key answered (docs/receipt.md, "The voter's security key"), which takes no key from elsewhere: whose
 * key it is nothing says yet.
 * @param nonces those of earlier votes, to which this one's is added
 * @returns the key that signed; null of a vote that no security key proved
 */
export function checkSecurityKey(
  { organization, request, policy }: Receipt,
  vote: ReceiptVote,
  nonces: Set<string>,
): KeyObject | Failure | null {
  const { evidence, assurance, stance, person } = vote
  const bad = (what: string) => failure('bad-voter-signature', `The security key's answer of vote ${vote.seq} ${what}.`)
  if (assurance.includes('securityKey') !== (evidence !== undefined)) {
    return bad('is not there exactly when its vote says so')
  }
  if (evidence === undefined) return null
  if (stance !== 'approve') return bad('is beside something else than an approval')
  if (person === null) return bad('is that of nobody')
  const { digest } = request
  const read = readKeyEvidence(evidence, {
    orgId: organization,
    requestId: request.id,
    digest,
    policyDigest: policy.digest,
    personId: person,
  })
  if ('problem' in read) return bad(read.problem)
  // A key approves a request, and does not say in which stage: one answer is one vote.
  if (nonces.has(evidence.nonce)) return bad('has been used before')
  nonces.add(evidence.nonce)
  return read.key
}
