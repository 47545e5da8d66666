import { createHash } from 'node:crypto'
import { writeCanonical } from './canonical-json.ts'

/** What a person approves when their security key signs the challenge (docs/security-keys.md). */
export interface VoteToProve {
  readonly orgId: string
  readonly requestId: string
  /** SHA-256, in hex, of the content that is voted on. */
  readonly digest: string
  /** SHA-256, in hex, of the rule that decides. */
  readonly policyDigest: string
  readonly personId: string
}

/**
 * The challenge of an approval: 32 bytes that commit to it, so that an assertion over them is good for no other.
 * @param nonce 32 random bytes
 * @example
 * voteChallenge({ orgId, requestId, digest, policyDigest, personId }, randomBytes(32)) // 32 bytes
 */
export function voteChallenge(vote: VoteToProve, nonce: Uint8Array): Buffer {
  const { orgId, requestId, digest, policyDigest, personId } = vote
  const text = writeCanonical({
    type: 'quorate-vote-challenge/1',
    organization: orgId,
    request: requestId,
    digest,
    policyDigest,
    stance: 'approve',
    person: personId,
    nonce: Buffer.from(nonce).toString('base64url'),
  })
  return createHash('sha256').update(text).digest()
}
