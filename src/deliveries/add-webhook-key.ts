import { randomBytes } from 'node:crypto'
import { appendLeaf } from '../audit/append.ts'
import type { LeafActor } from '../audit/leaf.ts'
import { seal } from '../config/secrets.ts'
import type { Ctx } from '../context.ts'
import type { Tx } from '../store/open.ts'
import { insertWebhookKey } from '../store/webhook-keys.ts'

/** What an answer shows of a key. */
export interface WebhookKey {
  readonly id: string
  readonly created_at: Date
  /** Null for the newest, which signs until it is followed by another. */
  readonly expires_at: Date | null
}

export interface NewWebhookKey {
  readonly orgId: string
  readonly actor: LeafActor
  readonly at: Date
  readonly facts: Readonly<Record<string, unknown>>
}

/** As many as Standard Webhooks recommends; the signature is HMAC-SHA-256. */
const secretBytes = 32

/** Adds a key that signs from now on. Runs under `lockWebhookKeys`. */
export async function addWebhookKey(
  { keys, newId }: Pick<Ctx, 'keys' | 'newId'>,
  tx: Tx,
  { orgId, actor, at, facts }: NewWebhookKey,
): Promise<WebhookKey> {
  const key = { id: newId(), created_at: at, expires_at: null }
  await insertWebhookKey(tx, { ...key, org_id: orgId, secret: seal(keys.atRest, randomBytes(secretBytes)) })
  await appendLeaf({ keys }, tx, { orgId, kind: 'webhook-key.created', subjectId: key.id, actor, at, facts })
  return key
}
