import { AppError } from '../../errors.ts'
import { isRs256By } from '../../proof/jws.ts'
import { readVoteJws, type VoteClaims } from '../../proof/vote-jws.ts'
import type { AgentKey } from './agent-key.ts'

/** The vote that a signature must be about, as the call and the store have it. */
export interface VoteToSign {
  readonly orgId: string
  readonly agentId: string
  readonly requestId: string
  /** Hex, of the content that is decided about. */
  readonly digest: string
  /** Hex, of the rule that decides. */
  readonly policyDigest: string
  readonly stance: 'approve' | 'veto' | 'withdraw'
  /** The stage that the vote is cast in. */
  readonly stage: number
  /** Ids of the groups that an approval is for, in the order of the call; none for a veto or a withdrawal. */
  readonly seats: readonly string[]
  /** When the vote is cast, as the log will have it. */
  readonly at: Date
}

/** How far the signer's clock may be from ours, either way. */
export const toleranceSeconds = 300

/**
 * Checks a voter's own signature over their vote (docs/voter-signatures.md), in the form and under the key that a verifier will.
 * @returns what was signed; whether its nonce was used before is for the caller
 * @throws AppError VOTE_SIGNATURE_MALFORMED, VOTE_SIGNATURE_INVALID, VOTE_SIGNATURE_EXPIRED, in this order
 */
export function verifyVoteSignature(text: string, key: AgentKey, vote: VoteToSign): VoteClaims {
  const read = readVoteJws(text)
  if ('mustBe' in read) throw new AppError('VOTE_SIGNATURE_MALFORMED', `signature must be ${read.mustBe}.`, about)
  if (!isRs256By(key.publicKey, text)) throw invalid('It was not made by the key that the agent has now.')
  checkVote(read.claims, vote)
  const secondsAway = Math.abs(vote.at.getTime() / 1000 - read.claims.iat)
  if (secondsAway > toleranceSeconds) throw new AppError('VOTE_SIGNATURE_EXPIRED', undefined, about)
  return read.claims
}

const about = { field: 'signature' }

function checkVote(sent: VoteClaims, vote: VoteToSign): void {
  const expected = {
    iss: vote.agentId,
    org: vote.orgId,
    request: vote.requestId,
    digest: vote.digest,
    policyDigest: vote.policyDigest,
    stance: vote.stance,
    stage: vote.stage,
  }
  for (const [name, value] of Object.entries(expected)) {
    if (sent[name as keyof typeof expected] !== value) throw invalid(`Its ${name} is not that of this vote.`)
  }
  const { seats } = sent
  const isSame = seats.length === vote.seats.length && vote.seats.every((id, index) => seats[index] === id)
  if (!isSame) throw invalid('Its seats are not those of this vote, in the same order.')
}

function invalid(detail: string): AppError {
  return new AppError('VOTE_SIGNATURE_INVALID', detail, about)
}
