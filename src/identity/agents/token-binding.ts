import { createHash } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findAgentKey, type AgentKeyRow } from '../../store/agent-keys.ts'
import type { AccessClaims } from '../access-token.ts'
import { callerNotFound } from '../actor.ts'
import { agentKeyOf } from './agent-key.ts'
import { verifyProof, type Proof, type ProvenCall } from './proof.ts'
import { spendProof } from './spend-proof.ts'

/** How an access token came. */
export interface Presentation {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly token: string
  /** The header DPoP. */
  readonly proof: string | undefined
  readonly call: ProvenCall
}

/**
 * Checks that who sends an access token holds the key that it is bound to (RFC 9449 section 7): a bound token is accepted
 * with a proof for this call and no other way, an unbound one as a bearer, from whom the agent's settings let it be one.
 * @throws AppError DPOP_PROOF_REQUIRED, DPOP_PROOF_INVALID, DPOP_TOKEN_NOT_BOUND, DPOP_JTI_REUSED, CALLER_AGENT_NOT_FOUND
 */
export async function requireBinding(ctx: Ctx, claims: AccessClaims, sent: Presentation): Promise<void> {
  const { jkt } = claims
  if (jkt === null) await requireBearer(ctx, claims, sent)
  else await requireProof(ctx, claims, jkt, sent)
}

async function requireBearer(ctx: Ctx, claims: AccessClaims, { scheme }: Presentation): Promise<void> {
  if (scheme === 'DPoP') throw new AppError('DPOP_TOKEN_NOT_BOUND')
  if (claims.kind === 'human') return
  const agent = await findCaller(ctx, claims)
  if (agent.dpop_required) throw new AppError('DPOP_TOKEN_NOT_BOUND', 'This agent may use bound access tokens only.')
}

async function requireProof(
  ctx: Ctx,
  claims: AccessClaims,
  jkt: string,
  { scheme, proof: header, token, call }: Presentation,
): Promise<void> {
  if (scheme !== 'DPoP' || header === undefined) throw new AppError('DPOP_PROOF_REQUIRED')
  const { orgId, principalId: id } = claims
  const key = await agentKeyOf((await findCaller(ctx, claims)).public_key)
  // After a rotation the tokens that are bound to the old key are nobody's.
  if (key?.thumbprint !== jkt) throw new AppError('DPOP_TOKEN_NOT_BOUND')
  const proof = await verifyForResource(() => verifyProof(header, key, call, ctx.clock.now()))
  const ath = createHash('sha256').update(token).digest('base64url')
  if (proof.claims['ath'] !== ath) throw new AppError('DPOP_PROOF_INVALID', "The proof's ath does not name the token.")
  await spendProof(ctx, ctx.db, { orgId, id }, proof)
}

async function findCaller(ctx: Ctx, claims: AccessClaims): Promise<AgentKeyRow> {
  const agent = await findAgentKey(ctx.db, claims.orgId, claims.principalId)
  if (agent === undefined || agent.disabled_at !== null) throw callerNotFound(claims)
  return agent
}

/** A resource answers 401 where the token endpoints answer 400 (RFC 9449 section 7.1); what is wrong stays said. */
async function verifyForResource(verify: () => Promise<Proof>): Promise<Proof> {
  try {
    return await verify()
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause
    throw new AppError('DPOP_PROOF_INVALID', cause.message)
  }
}
