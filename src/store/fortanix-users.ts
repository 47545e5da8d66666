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

/** What a person says of themselves. */
export interface CustodyUserChange {
  readonly first_name?: string | null
  readonly last_name?: string | null
  readonly verified_at?: Date
}

export async function updateCustodyUser(tx: Tx, personId: string, change: CustodyUserChange): Promise<void> {
  await tx.updateTable('fortanix_users').set(change).where('person_id', '=', personId).execute()
}

/** What is known of whoever has an address. */
export interface KnownPerson {
  readonly id: string
  /** They take part in some organization. */
  readonly isPrincipal: boolean
  readonly isUser: boolean
  readonly hasPassword: boolean
}

export async function findPersonByEmail(db: Db, email: string): Promise<KnownPerson | undefined> {
  const { rows } = await sql<KnownPerson>`
    select p.id,
      exists (select 1 from principals a where a.person_id = p.id) as "isPrincipal",
      exists (select 1 from fortanix_users u where u.person_id = p.id) as "isUser",
      exists (select 1 from person_credentials c where c.person_id = p.id and c.kind = 'password') as "hasPassword"
    from people p where lower(p.email collate "C") = lower(${email}::text collate "C")`.execute(db)
  return rows[0]
}
