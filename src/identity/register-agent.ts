import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { isAgentNameTaken } from '../store/agents.ts'
import { insertPrincipal } from '../store/people.ts'
import { transact } from '../store/unit-of-work.ts'
import { shareFacts } from '../store/fact-locks.ts'
import { leafActorOf, loadActor, type Actor } from './actor.ts'
import { newAgentKeyPair, publicKeyDigest } from './agents/key-pair.ts'
import { refuseApiKey } from './api-keys/access.ts'
import { requireHuman } from './authorize.ts'

export interface RegisteredAgent {
  readonly id: string
  readonly name: string
  /** SPKI PEM. */
  readonly publicKey: string
  /** PKCS#8 PEM; shown this once, never stored (contract §6.6). */
  readonly privateKey: string
  readonly createdAt: Date
}

/**
 * Registers an agent that the calling person answers for.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, AGENT_NAME_ALREADY_EXISTS
 */
export async function registerAgent(ctx: Ctx, actor: Actor, name: string): Promise<RegisteredAgent> {
  requireHuman(actor)
  // A key that leaked would make itself another that outlives its revocation.
  refuseApiKey(actor)
  await refuseTakenName(ctx, actor, name)
  // A second's work off the event loop, done before the transaction opens so that nothing waits for it.
  const { publicKey, privateKey } = await newAgentKeyPair()
  return await transact(ctx, actor.once, async (tx) => {
    // Whoever was shut out while the key was made leaves no agent behind.
    const { orgId, personId } = actor
    await shareFacts(tx, orgId)
    await loadActor(tx, actor)
    const id = ctx.newId()
    const at = ctx.clock.now()
    await insertPrincipal(tx, {
      org_id: orgId,
      id,
      kind: 'agent',
      person_id: personId,
      name,
      public_key: publicKey,
      created_at: at,
    })
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'agent.registered',
      subjectId: id,
      actor: leafActorOf(actor),
      at,
      facts: { person: personId, publicKeySha256: publicKeyDigest(publicKey) },
      privateText: { name },
    })
    return { id, name, publicKey, privateKey, createdAt: at }
  })
}

/** Spares the key's making; a repeated call is let through to find the answer it was given. */
async function refuseTakenName(ctx: Ctx, actor: Actor, name: string): Promise<void> {
  if (actor.once === null && (await isAgentNameTaken(ctx.db, actor.orgId, name))) {
    throw new AppError('AGENT_NAME_ALREADY_EXISTS')
  }
}
