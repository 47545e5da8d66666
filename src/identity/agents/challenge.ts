import { constants, createHash, publicEncrypt, randomBytes, type KeyObject } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { insertAgentChallenge } from '../../store/agent-challenges.ts'
import { findAgentKeyByName } from '../../store/agent-keys.ts'
import { issuer } from '../access-token.ts'
import { defaultOrganization } from '../organization.ts'
import { withKey } from './agent-key.ts'

export const challengeMinutes = 10

/**
 * A challenge that only the agent's private key can read: base64 of RSA-OAEP-SHA256 of a JSON text with the nonce that its
 * assertion must name (contract §6.6).
 * @throws AppError AGENT_NOT_FOUND, also for an agent that was revoked
 */
export async function challengeAgent(ctx: Ctx, agentName: string): Promise<string> {
  const orgId = defaultOrganization.id
  const found = await withKey(await findAgentKeyByName(ctx.db, orgId, agentName))
  if (found === null) throw new AppError('AGENT_NOT_FOUND')
  const { agent, key } = found
  const nonce = randomBytes(32).toString('hex')
  const at = ctx.clock.now()
  const expiresAt = new Date(at.getTime() + challengeMinutes * 60_000)
  await insertAgentChallenge(ctx.db, {
    nonce_hash: hashOfNonce(nonce),
    org_id: orgId,
    principal_id: agent.id,
    expires_at: expiresAt,
    created_at: at,
  })
  return sealChallenge(key.publicKey, agentName, nonce, expiresAt.toISOString())
}

// The agent's name is left out when it does not fit: OAEP carries the key's bytes less two hashes and two (RFC 8017 section
// 7.1.1), and only the agent can read it anyway. The expiry has the name of the seed and that of the peer.
function sealChallenge(publicKey: KeyObject, audience: string, nonce: string, expiresAt: string): string {
  const terms = { issuer, nonce, expires_at: expiresAt, expiresAt }
  const capacity = (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8 - 2 * 32 - 2
  const full = Buffer.from(JSON.stringify({ audience, ...terms }))
  const text = full.length <= capacity ? full : Buffer.from(JSON.stringify(terms))
  const padding = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
  return publicEncrypt(padding, text).toString('base64')
}

/** What is stored of a nonce: 256 random bits need no salt. */
export function hashOfNonce(nonce: string): string {
  return createHash('sha256').update(nonce).digest('base64url')
}
