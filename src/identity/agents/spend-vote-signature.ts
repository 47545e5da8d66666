import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findAgentKeyForShare } from '../../store/agent-keys.ts'
import { readVoteJws } from '../../proof/vote-jws.ts'
import type { Tx } from '../../store/open.ts'
import { findLastSignature } from '../../store/vote-signatures.ts'
import type { Caller } from '../actor.ts'
import { withKey } from './agent-key.ts'
import { isFirstUse } from './spend-proof.ts'
import { toleranceSeconds, verifyVoteSignature, type VoteToSign } from './vote-signature.ts'

/** Longer than a signature can be accepted: from the farthest its time may be ahead of us to the farthest behind, and a minute. */
const keptSeconds = 2 * toleranceSeconds + 60

/**
 * Checks an agent's signature over a vote of its own and uses up its nonce, with the transaction. The key cannot change before
 * that ends.
 * @throws AppError VOTE_SIGNATURE_MALFORMED, VOTE_SIGNATURE_INVALID, VOTE_SIGNATURE_EXPIRED, VOTE_SIGNATURE_REUSED;
 * ENTITY_NOT_SUPPORTED for a person, who has no key here
 */
export async function spendVoteSignature(
  ctx: Ctx,
  tx: Tx,
  { orgId, principalId: agentId, kind }: Pick<Caller, 'orgId' | 'principalId' | 'kind'>,
  signature: string,
  vote: Omit<VoteToSign, 'orgId' | 'agentId'>,
): Promise<void> {
  const about = { field: 'signature' }
  if (kind !== 'agent') throw new AppError('ENTITY_NOT_SUPPORTED', 'Only agents have a key here to sign with.', about)
  const found = await withKey(await findAgentKeyForShare(tx, orgId, agentId))
  if (found === null) throw new AppError('VOTE_SIGNATURE_INVALID', 'The agent has no key to sign with.', about)
  const { nonce, iat } = verifyVoteSignature(signature, found.key, { orgId, agentId, ...vote })
  const before = await findLastSignature(tx, orgId, vote.requestId, vote.stage, agentId)
  if (before !== undefined && iat < timeOf(before)) {
    throw new AppError('VOTE_SIGNATURE_EXPIRED', 'It was made before the last vote that the agent signed here.', about)
  }
  // A vote's time may be ahead of our clock, and with it the time until which this signature could be taken again.
  const aheadSeconds = (vote.at.getTime() - ctx.clock.now().getTime()) / 1000
  const kept = keptSeconds + Math.max(0, aheadSeconds)
  // The prefix keeps these apart from the ids of DPoP proofs, which are kept beside them.
  if (!(await isFirstUse(ctx, tx, { orgId, id: agentId }, `vote/${nonce}`, kept))) {
    throw new AppError('VOTE_SIGNATURE_REUSED', undefined, about)
  }
}

/** Seconds since 1970. One of before this form was the only one has none, and no receipt verifies that has it. */
function timeOf(signature: string): number {
  const read = readVoteJws(signature)
  return 'claims' in read ? read.claims.iat : 0
}
