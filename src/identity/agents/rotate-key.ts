import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { updateAgent } from '../../store/managed-agents.ts'
import { transact } from '../../store/unit-of-work.ts'
import { lockFacts } from '../../store/fact-locks.ts'
import { leafActorOf, loadActor, type Actor } from '../actor.ts'
import { refuseAdminKey } from '../admin-key.ts'
import { refuseApiKey } from '../api-keys/access.ts'
import { acceptablePublicKey } from './agent-key.ts'
import { newAgentKeyPair, publicKeyDigest } from './key-pair.ts'
import { lockManagedAgent, readManagedAgent, type AgentKeyOrName } from './managed-agent.ts'
import { endSignIns } from './revoke-agent.ts'

export interface RotatedKey {
  readonly id: string
  readonly name: string
  /** SPKI PEM. */
  readonly publicKey: string
  /** PKCS#8 PEM, shown this once; null when the caller gave the public key and keeps the private one. */
  readonly privateKey: string | null
}

/**
 * Gives an agent another key: a pair made here, or the caller's own public key. Everything that the old key signed in with
 * ends: challenges, refresh tokens, sessions, and access tokens that are bound to it.
 * @param publicKey PEM, or null to have a pair made
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, AGENT_NOT_FOUND, AGENT_PUBLIC_KEY_INVALID
 */
export async function rotateAgentKey(
  ctx: Ctx,
  actor: Actor,
  key: AgentKeyOrName,
  publicKey: string | null,
): Promise<RotatedKey> {
  // A key that leaked would take the agent over.
  refuseApiKey(actor)
  refuseAdminKey(actor)
  // Before a second is spent on a key for nobody; it is asked again under the lock.
  await readManagedAgent(ctx, actor, key)
  const next = publicKey === null ? await newAgentKeyPair() : { publicKey: requireKey(publicKey), privateKey: null }
  return await transact(ctx, actor.once, async (tx) => {
    const { orgId } = actor
    // Ending sessions ends votes: each is counted wholly before it or wholly after (ADR 3).
    await lockFacts(tx, orgId)
    const agent = await lockManagedAgent(tx, await loadActor(tx, actor), key)
    if (agent.public_key === next.publicKey) refuseKey()
    const at = ctx.clock.now()
    await updateAgent(tx, orgId, agent.id, { public_key: next.publicKey })
    await endSignIns(ctx, tx, { orgId, id: agent.id }, leafActorOf(actor), 'key-rotated')
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'agent.key-rotated',
      subjectId: agent.id,
      actor: leafActorOf(actor),
      at,
      facts: { publicKeySha256: publicKeyDigest(next.publicKey) },
    })
    return { id: agent.id, name: agent.name, ...next }
  })
}

function requireKey(pem: string): string {
  return acceptablePublicKey(pem) ?? refuseKey()
}

function refuseKey(): never {
  throw new AppError('AGENT_PUBLIC_KEY_INVALID', undefined, { field: 'publicKey' })
}
