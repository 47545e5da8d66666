import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { NewRow } from './schema.ts'

/** A person by e-mail address, whatever its case, with the hash of their password: null for one who has none. */
export async function findPersonByEmail(
  db: Db,
  email: string,
): Promise<{ readonly id: string; readonly hash: string | null } | undefined> {
  return await db
    .selectFrom('people as p')
    .leftJoin('person_credentials as c', (join) => join.onRef('c.person_id', '=', 'p.id').on('c.kind', '=', 'password'))
    .select(['p.id', 'c.hash'])
    .where(sql`lower(p.email collate "C")`, '=', sql`lower(${email}::text collate "C")`)
    .executeTakeFirst()
}

/** A PHC string; null for a person who has no password. */
export async function findPasswordHash(db: Db, personId: string): Promise<string | null> {
  const row = await db
    .selectFrom('person_credentials')
    .select('hash')
    .where('person_id', '=', personId)
    .where('kind', '=', 'password')
    .executeTakeFirst()
  return row?.hash ?? null
}

/** In place of the one that the person had, whose id it keeps, and which is returned. The index is a partial one: what it says of the kind has to be there when the statement is planned. */
export async function writePassword(tx: Tx, password: NewRow<'person_credentials'>): Promise<string> {
  const { hash, changed_at } = password
  const { id } = await tx
    .insertInto('person_credentials')
    .values(password)
    .onConflict((conflict) =>
      conflict
        .columns(['person_id'])
        .where(sql<boolean>`kind = 'password'`)
        .doUpdateSet({ hash, changed_at }),
    )
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

/** The human principals of a person, in every organization. */
export async function findHumansOf(
  db: Db,
  personId: string,
): Promise<{ readonly org_id: string; readonly id: string }[]> {
  return await db
    .selectFrom('principals')
    .select(['org_id', 'id'])
    .where('person_id', '=', personId)
    .where('kind', '=', 'human')
    .orderBy('org_id')
    .execute()
}
