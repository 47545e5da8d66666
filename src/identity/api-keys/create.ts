import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findApiKey, insertApiKey, type ApiKeyRow } from '../../store/api-keys.ts'
import type { Tx } from '../../store/open.ts'
import { findActorRow } from '../../store/principals.ts'
import { transact } from '../../store/unit-of-work.ts'
import { shareFacts } from '../../store/fact-locks.ts'
import { leafActorOf, loadActor, type Actor, type Caller } from '../actor.ts'
import { refuseAdminKey } from '../admin-key.ts'
import { notTheirs, refuseApiKey, requireMayHoldSecret, type KeyOwner } from './access.ts'
import type { ApiKeyScope } from './scopes.ts'
import { newSecret } from './secret.ts'

export interface NewApiKey {
  readonly name: string
  /** Whom it acts as; null for the caller. */
  readonly principalId: string | null
  readonly scopes: readonly ApiKeyScope[]
  /** Null for 90 days from now. */
  readonly expiresAt: Date | null
}

/** A key with its secret, which nobody is shown again. */
export interface ShownApiKey {
  readonly key: ApiKeyRow
  readonly secret: string
}

const day = 86_400_000
const defaultLife = 90 * day
const maxLife = 365 * day

/**
 * Makes a key that acts as its principal: a person for themselves, or an agent's by who answers for it or an admin.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, API_KEY_EXPIRES_AT_INVALID, PRINCIPAL_NOT_FOUND
 */
export async function createApiKey(ctx: Ctx, caller: Caller, input: NewApiKey): Promise<ShownApiKey> {
  // Before a repeated call is given the answer of the first, which holds the secret.
  refuseApiKey(caller)
  refuseAdminKey(caller)
  return await transact(ctx, caller.once, async (tx) => {
    // Whoever shuts the caller or the owner out, or changes owners, ends all keys there are: this one among them, or not yet.
    await shareFacts(tx, caller.orgId)
    const actor = await loadActor(tx, caller)
    const { principalId } = await ownerToBe(tx, actor, input.principalId ?? actor.principalId)
    const at = ctx.clock.now()
    const expiresAt = lifeEnd(input.expiresAt, at)
    const id = ctx.newId()
    const secret = newSecret(id)
    await insertApiKey(tx, {
      org_id: actor.orgId,
      id,
      principal_id: principalId,
      name: input.name,
      secret_hash: secret.hash,
      hint: secret.hint,
      scopes: [...input.scopes],
      expires_at: expiresAt,
      created_by: actor.principalId,
      created_at: at,
    })
    await appendLeaf(ctx, tx, {
      orgId: actor.orgId,
      kind: 'api-key.created',
      subjectId: id,
      actor: leafActorOf(actor),
      at,
      facts: {
        principal: principalId,
        scopes: input.scopes,
        expiresAt: expiresAt.toISOString(),
        secretSha256: secret.hash,
      },
      privateText: { name: input.name },
    })
    return { key: await written(tx, actor.orgId, id), secret: secret.text }
  })
}

/** Who may not make a key of someone is not told whether they exist. */
async function ownerToBe(tx: Tx, actor: Actor, principalId: string): Promise<KeyOwner> {
  const row = await findActorRow(tx, actor.orgId, principalId)
  if (row === undefined || row.disabled_at !== null) {
    if (!actor.isAdmin) throw notTheirs()
    throw new AppError('PRINCIPAL_NOT_FOUND', undefined, { field: 'principalId' })
  }
  const owner = { principalId, kind: row.kind, personId: row.person_id }
  requireMayHoldSecret(actor, owner)
  return owner
}

function lifeEnd(asked: Date | null, now: Date): Date {
  if (asked === null) return new Date(now.getTime() + defaultLife)
  const life = asked.getTime() - now.getTime()
  if (life <= 0 || life > maxLife) throw new AppError('API_KEY_EXPIRES_AT_INVALID', undefined, { field: 'expiresAt' })
  return asked
}

/** The key as this transaction has written it. */
export async function written(tx: Tx, orgId: string, id: string): Promise<ApiKeyRow> {
  const key = await findApiKey(tx, orgId, id)
  if (key === undefined) throw new Error('an API key vanished in the transaction that wrote it')
  return key
}
