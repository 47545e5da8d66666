import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

export type CustodySessionRow = Row<'fortanix_sessions'>

export async function insertCustodySession(tx: Tx, session: NewRow<'fortanix_sessions'>): Promise<void> {
  await tx.insertInto('fortanix_sessions').values(session).execute()
}

/** One that has neither ended nor expired. */
export async function findCustodySession(db: Db, tokenHash: string, now: Date): Promise<CustodySessionRow | undefined> {
  return await db
    .selectFrom('fortanix_sessions')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/** What may be changed of a session. */
export type CustodySessionChange = Partial<
  Pick<CustodySessionRow, 'org_id' | 'principal_id' | 'is_pending' | 'devices_until' | 'expires_at' | 'ended_at'>
>

/** False when it has ended meanwhile. */
export async function updateCustodySession(tx: Tx, id: string, change: CustodySessionChange): Promise<boolean> {
  const changed = await tx
    .updateTable('fortanix_sessions')
    .set(change)
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return changed !== undefined
}

/** The sessions of a person or, with an account, those in which they selected it; all but `except` end. Returns how many. */
export async function endCustodySessions(
  tx: Tx,
  of: { readonly personId: string; readonly orgId?: string } | { readonly principalId: string },
  except: string | null,
  at: Date,
): Promise<number> {
  const all = tx.updateTable('fortanix_sessions').set({ ended_at: at }).where('ended_at', 'is', null)
  const theirs =
    'principalId' in of ? all.where('principal_id', '=', of.principalId) : all.where('person_id', '=', of.personId)
  const there = 'orgId' in of && of.orgId !== undefined ? theirs.where('org_id', '=', of.orgId) : theirs
  const others = except === null ? there : there.where('id', '!=', except)
  const { numUpdatedRows } = await others.executeTakeFirst()
  return Number(numUpdatedRows)
}
