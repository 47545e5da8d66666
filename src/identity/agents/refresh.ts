import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findAgentKeyForShare } from '../../store/agent-keys.ts'
import { refreshTokens } from '../refresh-tokens.ts'
import type { TokenPair } from '../token-pair.ts'
import { withKey } from './agent-key.ts'
import { verifyProof, type ProvenCall } from './proof.ts'
import { spendProof } from './spend-proof.ts'

export interface AgentRefresh {
  readonly refreshToken: string
  /** The header DPoP. */
  readonly proof: string
  readonly call: ProvenCall
}

/**
 * Exchanges an agent's refresh token for a new pair, against a proof by its key (contract §6.6). The token is checked
 * first; a proof that is refused leaves it as it was. A sign-in that was bound stays bound.
 * @throws AppError the REFRESH_TOKEN_* codes, the DPOP_* codes, CALLER_AGENT_NOT_FOUND
 */
export async function refreshAgent(ctx: Ctx, { refreshToken, proof, call }: AgentRefresh): Promise<TokenPair> {
  return await refreshTokens(ctx, 'agent', refreshToken, async (tx, token) => {
    const { org_id: orgId, principal_id: id } = token
    // Held until the new token is written, so that a rotation or revocation ends it too.
    const found = await withKey(await findAgentKeyForShare(tx, orgId, id))
    if (found === null) throw new AppError('CALLER_AGENT_NOT_FOUND')
    const { agent, key } = found
    await spendProof(ctx, tx, { orgId, id }, await verifyProof(proof, key, call, ctx.clock.now()))
    return token.jkt !== null || agent.dpop_required ? key.thumbprint : null
  })
}
