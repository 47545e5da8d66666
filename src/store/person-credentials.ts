import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'

/** Whose password it is, and the hash. */
export interface PersonPassword {
  readonly personId: string
  readonly hash: string
}

/** The password of whoever is known by this address, whatever its case. */
export async function findPasswordByEmail(db: Db, email: string): Promise<PersonPassword | undefined> {
  const row = await passwords(db)
    .innerJoin('people as p', 'p.id', 'c.person_id')
    .where(sql`lower(p.email collate "C")`, '=', sql`lower(${email}::text collate "C")`)
    .executeTakeFirst()
  return passwordOf(row)
}

export async function findPasswordOf(db: Db, personId: string): Promise<PersonPassword | undefined> {
  return passwordOf(await passwords(db).where('c.person_id', '=', personId).executeTakeFirst())
}

const passwords = (db: Db) =>
  db.selectFrom('person_credentials as c').select(['c.person_id', 'c.hash']).where('c.kind', '=', 'password')

function passwordOf(row: { person_id: string; hash: string | null } | undefined): PersonPassword | undefined {
  return row === undefined ? undefined : { personId: row.person_id, hash: row.hash ?? '' }
}

/** Puts it in the place of the one before, if there is one. */
export async function upsertPassword(
  tx: Tx,
  password: { readonly id: string; readonly personId: string; readonly hash: string; readonly at: Date },
): Promise<void> {
  const { id, personId, hash, at } = password
  await tx.deleteFrom('person_credentials').where('person_id', '=', personId).where('kind', '=', 'password').execute()
  await tx
    .insertInto('person_credentials')
    .values({
      person_id: personId,
      id,
      kind: 'password',
      name: '',
      hash,
      credential_id: null,
      public_key: null,
      details: '{}',
      created_at: at,
      changed_at: at,
    })
    .execute()
}

/** Of `ids`, who have a password, and what security keys each has, by name. */
export async function findFactorsOf(
  db: Db,
  ids: readonly string[],
): Promise<Map<string, { hasPassword: boolean; keys: { name: string; format: string; origin: string }[] }>> {
  const rows = await db
    .selectFrom('person_credentials')
    .select(['person_id', 'kind', 'name', 'details'])
    .where('person_id', '=', sql<string>`any(${ids}::uuid[])`)
    .orderBy('name')
    .execute()
  const factors = new Map(
    ids.map((id) => [id, { hasPassword: false, keys: [] as { name: string; format: string; origin: string }[] }]),
  )
  for (const { person_id: id, kind, name, details } of rows) {
    const known = factors.get(id)
    if (kind === 'password' && known !== undefined) known.hasPassword = true
    else if ('format' in details) known?.keys.push({ name, format: details.format, origin: details.origin })
  }
  return factors
}

export async function hasSecurityKey(db: Db, personId: string): Promise<boolean> {
  const row = await db
    .selectFrom('person_credentials')
    .select('id')
    .where('person_id', '=', personId)
    .where('kind', '=', 'security-key')
    .executeTakeFirst()
  return row !== undefined
}
