import type { Db } from './open.ts'

const day = 86_400_000
/** How long a repeated call with the same Idempotency-Key still gets the stored answer. */
const idempotencyMilliseconds = day

/** Deletes what is past any use: answers to repeated calls, sign-ins that ended, tokens that expired a day ago, old proofs. */
export async function forgetExpired(db: Db, now: Date): Promise<void> {
  const aDayAgo = new Date(now.getTime() - day)
  const answered = new Date(now.getTime() - idempotencyMilliseconds)
  await db.deleteFrom('idempotency_keys').where('created_at', '<', answered).execute()
  await db.deleteFrom('sign_in_flows').where('expires_at', '<', aDayAgo).execute()
  await db.deleteFrom('refresh_tokens').where('expires_at', '<', aDayAgo).execute()
  await db.deleteFrom('single_use_tokens').where('expires_at', '<', aDayAgo).execute()
  await db.deleteFrom('agent_challenges').where('expires_at', '<', aDayAgo).execute()
  await db.deleteFrom('seen_proofs').where('expires_at', '<', now).execute()
}
