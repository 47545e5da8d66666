import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

export type WebhookKeyRow = Row<'webhook_keys'>

const keysOf = (db: Db, orgId: string, now: Date) =>
  db
    .selectFrom('webhook_keys')
    .selectAll()
    .where('org_id', '=', orgId)
    .where((row) => row.or([row('expires_at', 'is', null), row('expires_at', '>', now)]))

/** The keys that sign now, newest first: the newest is the one without an expiry. */
export async function listWebhookKeys(db: Db, orgId: string, now: Date): Promise<WebhookKeyRow[]> {
  return await keysOf(db, orgId, now)
    .orderBy('expires_at', (order) => order.desc().nullsFirst())
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

/** A key that signs now. */
export async function findWebhookKey(db: Db, orgId: string, id: string, now: Date): Promise<WebhookKeyRow | undefined> {
  return await keysOf(db, orgId, now).where('id', '=', id).executeTakeFirst()
}

/** Nobody else adds or ends a key of the organization until the transaction ends. */
export async function lockWebhookKeys(tx: Tx, orgId: string): Promise<void> {
  await tx.selectFrom('organizations').select('id').where('id', '=', orgId).forNoKeyUpdate().execute()
}

export async function insertWebhookKey(tx: Tx, key: NewRow<'webhook_keys'>): Promise<void> {
  await tx.insertInto('webhook_keys').values(key).execute()
}

/** @param expiresAt null for never */
export async function setWebhookKeyExpiry(tx: Tx, orgId: string, id: string, expiresAt: Date | null): Promise<void> {
  await tx
    .updateTable('webhook_keys')
    .set({ expires_at: expiresAt })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute()
}

export async function deleteWebhookKey(tx: Tx, orgId: string, id: string): Promise<void> {
  await tx.deleteFrom('webhook_keys').where('org_id', '=', orgId).where('id', '=', id).execute()
}
