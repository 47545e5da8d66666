import { sql, type RawBuilder } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

/** The natural person behind an e-mail address, whatever its case; made when there is none. */
export async function findOrInsertPerson(
  tx: Tx,
  person: NewRow<'people'> & { readonly email: string },
): Promise<string> {
  await tx
    .insertInto('people')
    .values(person)
    .onConflict((conflict) => conflict.expression(sql`lower(email collate "C")`).doNothing())
    .execute()
  const row = await tx
    .selectFrom('people')
    .select('id')
    .where(sql`lower(email collate "C")`, '=', lowered(person.email))
    .executeTakeFirstOrThrow()
  return row.id
}

// The database lowers both sides: under the C locale it knows ASCII only, and JavaScript would disagree with its index.
function lowered(email: string): RawBuilder<string> {
  return sql`lower(${email}::text collate "C")`
}

export async function insertPrincipal(tx: Tx, principal: NewRow<'principals'>): Promise<void> {
  await tx.insertInto('principals').values(principal).execute()
}

export async function findHumanByEmail(db: Db, orgId: string, email: string): Promise<Row<'principals'> | undefined> {
  return await db
    .selectFrom('principals as a')
    .innerJoin('people as p', 'p.id', 'a.person_id')
    .selectAll('a')
    .where('a.org_id', '=', orgId)
    .where('a.kind', '=', 'human')
    .where(sql`lower(p.email collate "C")`, '=', lowered(email))
    .executeTakeFirst()
}

export async function insertOrganizationAdmin(tx: Tx, admin: NewRow<'organization_admins'>): Promise<void> {
  await tx.insertInto('organization_admins').values(admin).execute()
}

export async function hasOrganizationAdmin(db: Db, orgId: string): Promise<boolean> {
  const admin = await db.selectFrom('organization_admins').select('id').where('org_id', '=', orgId).executeTakeFirst()
  return admin !== undefined
}

/** Disables a human at that instant, or enables them with null. False when they were so already. */
export async function setDisabled(tx: Tx, orgId: string, principalId: string, at: Date | null): Promise<boolean> {
  const changed = await tx
    .updateTable('principals')
    .set({ disabled_at: at })
    .where('org_id', '=', orgId)
    .where('id', '=', principalId)
    .where('kind', '=', 'human')
    .where('disabled_at', at === null ? 'is not' : 'is', null)
    .returning('id')
    .executeTakeFirst()
  return changed !== undefined
}
