import { sql } from 'kysely'
import type { Db } from './open.ts'

const day = 86_400_000
/** How long a repeated call with the same Idempotency-Key still gets the stored answer. */
const idempotencyMilliseconds = day
/** The clocks of the processes that count calls may differ by this, at least. */
const windowMilliseconds = 300_000

/** For whoever asks what was sent, and what of it was not. */
const sentMilliseconds = 30 * day
const failedMilliseconds = 90 * day

/** Longer than a sign-in can lie unused and still be refreshed. */
const sessionMilliseconds = 32 * day

/**
 * Deletes what is past any use: answers to repeated calls, sign-ins that ended, tokens that expired a day ago, old proofs,
 * counts of calls whose minute is over, signing keys whose overlap is, deliveries that ended long ago.
 */
export async function forgetExpired(db: Db, now: Date): Promise<void> {
  const aDayAgo = new Date(now.getTime() - day)
  const answered = new Date(now.getTime() - idempotencyMilliseconds)
  await db.deleteFrom('idempotency_keys').where('created_at', '<', answered).execute()
  await db.deleteFrom('oauth_flows').where('expires_at', '<', aDayAgo).execute()
  await db.deleteFrom('sign_in_flows').where('expires_at', '<', aDayAgo).execute()
  await db
    .deleteFrom('sessions')
    .where('last_used_at', '<', new Date(now.getTime() - sessionMilliseconds))
    .execute()
  await db.deleteFrom('refresh_tokens').where('expires_at', '<', aDayAgo).execute()
  await db.deleteFrom('fortanix_sessions').where('expires_at', '<', aDayAgo).execute()
  const counted = new Date(now.getTime() - windowMilliseconds)
  await db.deleteFrom('call_counters').where('window_start', '<', counted).execute()
  await db.deleteFrom('single_use_tokens').where('expires_at', '<', aDayAgo).execute()
  await db.deleteFrom('agent_challenges').where('expires_at', '<', aDayAgo).execute()
  await db.deleteFrom('key_challenges').where('expires_at', '<', aDayAgo).execute()
  await db.deleteFrom('webhook_keys').where('expires_at', '<', now).execute()
  await db.deleteFrom('seen_proofs').where('expires_at', '<', now).execute()
  await forgetDeliveries(db, 'completed', new Date(now.getTime() - sentMilliseconds))
  await forgetDeliveries(db, 'error', new Date(now.getTime() - failedMilliseconds))
}

const batch = 5_000

/** A million of them may end on one day: they go a batch at a time, past those that another process has in hand. */
async function forgetDeliveries(db: Db, status: 'completed' | 'error', endedBefore: Date): Promise<void> {
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      delete from deliveries using (
        select org_id, id from deliveries where status = ${status} and status <> 'pending' and updated_at < ${endedBefore}
        order by updated_at limit ${batch} for update skip locked
      ) ended where deliveries.org_id = ended.org_id and deliveries.id = ended.id`.execute(db)
    if (numAffectedRows < batch) return
  }
}
