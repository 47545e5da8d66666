import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

/** A person who can have accounts, by the address that they are known by. */
export type CustodyUserRow = Row<'fortanix_users'> & { readonly email: string | null }

export async function insertCustodyUser(tx: Tx, user: NewRow<'fortanix_users'>): Promise<void> {
  await tx.insertInto('fortanix_users').values(user).execute()
}

const users = (db: Db) =>
  db.selectFrom('fortanix_users as u').innerJoin('people as p', 'p.id', 'u.person_id').selectAll('u').select('p.email')

export async function findCustodyUser(db: Db, personId: string): Promise<CustodyUserRow | undefined> {
  return await users(db).where('u.person_id', '=', personId).executeTakeFirst()
}

export async function findCustodyUserByEmail(db: Db, email: string): Promise<CustodyUserRow | undefined> {
  return await users(db)
    .where(sql`lower(p.email collate "C")`, '=', sql`lower(${email}::text collate "C")`)
    .executeTakeFirst()
}

/** What a person says of themselves. */
export interface CustodyUserChange {
  readonly first_name?: string | null
  readonly last_name?: string | null
  readonly verified_at?: Date
}

export async function updateCustodyUser(tx: Tx, personId: string, change: CustodyUserChange): Promise<void> {
  await tx.updateTable('fortanix_users').set(change).where('person_id', '=', personId).execute()
}

/** Whether a person of this address takes part in any organization, or is known by it at all. */
export async function findPersonByEmail(
  db: Db,
  email: string,
): Promise<{ readonly id: string; readonly isPrincipal: boolean } | undefined> {
  const { rows } = await sql<{ id: string; isPrincipal: boolean }>`
    select p.id, exists (select 1 from principals a where a.person_id = p.id) as "isPrincipal"
    from people p where lower(p.email collate "C") = lower(${email}::text collate "C")`.execute(db)
  return rows[0]
}
