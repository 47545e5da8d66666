import { createHash, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { isAgentNameTaken } from '../store/agents.ts'
import { insertPrincipal } from '../store/people.ts'
import { transact } from '../store/unit-of-work.ts'
import { leafActorOf, type Actor } from './actor.ts'
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

const newKeyPair = promisify(generateKeyPair)
const keyOptions = {
  modulusLength: 4096,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const

/**
 * Registers an agent that the calling person answers for.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, AGENT_NAME_ALREADY_EXISTS
 */
export async function registerAgent(ctx: Ctx, actor: Actor, name: string): Promise<RegisteredAgent> {
  requireHuman(actor)
  await refuseTakenName(ctx, actor, name)
  // A second's work off the event loop, done before the transaction opens so that nothing waits for it.
  const { publicKey, privateKey } = await newKeyPair('rsa', keyOptions)
  return await transact(ctx, actor.once, async (tx) => {
    const { orgId, personId } = actor
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
    await appendLeaf(tx, {
      orgId,
      kind: 'agent.registered',
      subjectId: id,
      actor: leafActorOf(actor),
      at,
      facts: { person: personId, publicKeySha256: createHash('sha256').update(publicKey).digest('hex') },
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
