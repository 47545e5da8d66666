import { sql } from 'kysely'
import { offsetOf, type Page } from './page.ts'
import type { Db, Tx } from './open.ts'
import { lockEligibility } from './principal-locks.ts'
import type { NewRow, Row } from './schema.ts'

export type SessionRow = Row<'sessions'>

/** A new sign-in, or one more use of it. */
export async function upsertSession(tx: Tx, session: NewRow<'sessions'>): Promise<void> {
  await tx
    .insertInto('sessions')
    .values(session)
    .onConflict((conflict) => conflict.columns(['org_id', 'id']).doUpdateSet({ last_used_at: session.last_used_at }))
    .execute()
}

const alive = (db: Db, orgId: string, principalId: string, since: Date) =>
  db
    .selectFrom('sessions')
    .where('org_id', '=', orgId)
    .where('principal_id', '=', principalId)
    .where('ended_at', 'is', null)
    .where('last_used_at', '>', since)

/** Newest first: the sign-ins that did not end and were used after `since`. */
export async function listSessions(
  db: Db,
  orgId: string,
  principalId: string,
  since: Date,
  page: Page,
): Promise<SessionRow[]> {
  return await alive(db, orgId, principalId, since)
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(offsetOf(page))
    .execute()
}

export async function countSessions(db: Db, orgId: string, principalId: string, since: Date): Promise<number> {
  const { total } = await alive(db, orgId, principalId, since)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** Which of a principal's sign-ins this ended now; `only` narrows it to one. */
export async function markSessionsEnded(
  tx: Tx,
  orgId: string,
  principalId: string,
  only: string | null,
  at: Date,
): Promise<string[]> {
  const ended = await tx
    .updateTable('sessions')
    .set({ ended_at: at })
    .where('org_id', '=', orgId)
    .where('principal_id', '=', principalId)
    .where('ended_at', 'is', null)
    .$if(only !== null, (query) => query.where('id', '=', only))
    .returning('id')
    .execute()
  return ended.map(({ id }) => id)
}

/**
 * Notes with the principal that access tokens of these sign-ins are good no longer, and forgets of the earlier ones those
 * that ended before `since`, whose access tokens have all expired.
 */
export async function shutOutSessions(
  tx: Tx,
  orgId: string,
  principalId: string,
  ids: readonly string[],
  since: Date,
): Promise<void> {
  // A statement of its own, so that the next one sees the sign-ins that another transaction ended meanwhile.
  await lockEligibility(tx, orgId, principalId)
  await sql`
    update principals a set ended_sessions = array(
      select s.id from sessions s
      where s.org_id = a.org_id and s.id = any(a.ended_sessions || ${ids}::uuid[])
        and s.ended_at > ${since} and s.last_used_at > ${since}
      order by s.ended_at, s.id)
    where a.org_id = ${orgId} and a.id = ${principalId}`.execute(tx)
}
