import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findAgentChallenge, markAgentChallengeUsed } from '../../store/agent-challenges.ts'
import { findAgentKeyByName } from '../../store/agent-keys.ts'
import { transact } from '../../store/unit-of-work.ts'
import { defaultOrganization } from '../organization.ts'
import { issueTokenPair, type TokenPair } from '../token-pair.ts'
import { withKey } from './agent-key.ts'
import { readAssertion, verifyAssertion } from './assertion.ts'
import { hashOfNonce } from './challenge.ts'
import { verifyProof, type ProvenCall } from './proof.ts'
import { spendProof } from './spend-proof.ts'

export interface AgentSignIn {
  readonly assertion: string
  /** The header DPoP: the tokens are then bound to the agent's key (RFC 9449 section 5). */
  readonly proof: string | null
  readonly call: ProvenCall
}

/**
 * Signs in the agent whose key made the assertion (RFC 7523 section 3). Its challenge and its proof are used up in the
 * transaction that issues the tokens, so of any calls at once exactly one succeeds.
 * @throws AppError AGENT_NOT_FOUND, AGENT_CHALLENGE_*, DPOP_*; REQUEST_INVALID_DPOP_JKT when the agent must send a proof
 */
export async function signInAgent(ctx: Ctx, { assertion, proof, call }: AgentSignIn): Promise<TokenPair> {
  const orgId = defaultOrganization.id
  const unverified = readAssertion(assertion)
  const signer = await withKey(await findAgentKeyByName(ctx.db, orgId, unverified.issuer))
  if (signer === null) throw new AppError('AGENT_NOT_FOUND')
  const { agent, key } = signer
  const nonceHash = hashOfNonce(await verifyAssertion(unverified, key, ctx.clock.now()))
  await requireOpenChallenge(ctx, nonceHash, agent.id)
  if (proof === null && agent.dpop_required) throw new AppError('REQUEST_INVALID_DPOP_JKT')
  const proven = proof === null ? null : await verifyProof(proof, key, call, ctx.clock.now())

  return await transact(ctx, null, async (tx) => {
    const at = ctx.clock.now()
    // A rotation or revocation that came in between has ended the challenge.
    if (!(await markAgentChallengeUsed(tx, nonceHash, at))) throw new AppError('AGENT_CHALLENGE_CONCURRENT_UPDATE')
    if (proven !== null) await spendProof(ctx, tx, { orgId, id: agent.id }, proven)
    const familyId = ctx.newId()
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'agent.signed-in',
      subjectId: agent.id,
      actor: { kind: 'agent', id: agent.id },
      at,
      facts: { signIn: familyId, isBound: proven !== null },
    })
    const jkt = proven === null ? null : key.thumbprint
    return await issueTokenPair(ctx, tx, { orgId, principalId: agent.id, familyId, jkt })
  })
}

async function requireOpenChallenge(ctx: Ctx, nonceHash: string, agentId: string): Promise<void> {
  const challenge = await findAgentChallenge(ctx.db, nonceHash)
  if (challenge === undefined) throw new AppError('AGENT_CHALLENGE_NOT_FOUND')
  if (challenge.principal_id !== agentId) throw new AppError('AGENT_CHALLENGE_INVALID_ISSUER')
  if (challenge.expires_at <= ctx.clock.now()) throw new AppError('AGENT_CHALLENGE_CHALLENGE_EXPIRED')
  if (challenge.used_at !== null) throw new AppError('AGENT_CHALLENGE_CHALLENGE_ALREADY_USED')
}
