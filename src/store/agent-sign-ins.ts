import { sql } from 'kysely'
import type { Tx } from './open.ts'
import type { NewRow } from './schema.ts'

export async function insertAgentSession(tx: Tx, session: Omit<NewRow<'sessions'>, 'channel'>): Promise<void> {
  await tx
    .insertInto('sessions')
    .values({ ...session, channel: 'agent' })
    .execute()
}

/**
 * Ends whatever an agent could still sign in or go on with: its open challenges first, so that a sign-in on one of them
 * has either issued its tokens before the next statement sees them or fails.
 * @param tokensSince when the oldest access token was issued that may still live
 */
export async function endAgentSignIns(
  tx: Tx,
  orgId: string,
  principalId: string,
  at: Date,
  tokensSince: Date,
): Promise<void> {
  await sql`delete from agent_challenges where org_id = ${orgId} and principal_id = ${principalId} and used_at is null`.execute(
    tx,
  )
  await sql`update refresh_tokens set revoked_at = ${at}
    where org_id = ${orgId} and principal_id = ${principalId} and revoked_at is null`.execute(tx)
  await sql`update sessions set ended_at = ${at}
    where org_id = ${orgId} and principal_id = ${principalId} and ended_at is null`.execute(tx)
  // Each access token was issued along with a refresh token, so these are the families of all that may still live.
  await sql`update principals a set ended_sessions = array(select distinct t.family_id from refresh_tokens t
      where t.org_id = a.org_id and t.principal_id = a.id and t.created_at > ${tokensSince})
    where a.org_id = ${orgId} and a.id = ${principalId}`.execute(tx)
}
