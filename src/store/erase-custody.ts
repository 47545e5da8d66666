import { erased, erasedOf, isErased } from './erasure.ts'
import type { Tx } from './open.ts'
import { statement } from './statement.ts'

/** The person behind a human principal, if they are or were a user of accounts or have anything that they prove themselves with. */
export async function findCustodyPerson(tx: Tx, orgId: string, principalId: string): Promise<string | undefined> {
  const [row] = await custodyPersonStatement(tx, [orgId, principalId])
  return row?.id
}

const custodyPersonStatement = statement<{ id: string }>(`
  select p.person_id as id from principals p where p.org_id = $1 and p.id = $2 and p.kind = 'human' and (
    exists (select from fortanix_users u where u.person_id = p.person_id)
    or exists (select from person_credentials c where c.person_id = p.person_id))`)

/** A person, held until the transaction ends; false when there is none. */
export async function lockPerson(tx: Tx, personId: string): Promise<boolean> {
  const row = await tx.selectFrom('people').select('id').where('id', '=', personId).forUpdate().executeTakeFirst()
  return row !== undefined
}

/** What a person is in each organization, whatever may keep them from signing in there. */
export async function findHumanPrincipals(tx: Tx, personId: string): Promise<{ org_id: string; id: string }[]> {
  return await tx
    .selectFrom('principals')
    .select(['org_id', 'id'])
    .where('person_id', '=', personId)
    .where('kind', '=', 'human')
    .orderBy('org_id')
    .orderBy('id')
    .execute()
}

/** Names, and an address that no organization knows them by. @returns how many rows held something else */
export async function erasePersonRows(tx: Tx, personId: string): Promise<number> {
  const users = await userStatement(tx, [personId])
  const addresses = await addressStatement(tx, [personId, erasedOf(personId)])
  return users.length + addresses.length
}

const userStatement = statement(`
  update fortanix_users set first_name = null, last_name = null
  where person_id = $1 and (first_name is not null or last_name is not null) returning person_id`)

const addressStatement = statement(
  `update people set email = $2 where id = $1 and email is not null and not ${isErased('email')} returning id`,
)

/** Takes everything away that a person could come in with. @returns how many secrets there were */
export async function deleteFactorsOf(tx: Tx, personId: string): Promise<number> {
  let count = 0
  for (const remove of factorStatements) count += (await remove(tx, [personId])).length
  await tx.deleteFrom('key_challenges').where('person_id', '=', personId).execute()
  await tx.deleteFrom('fortanix_sessions').where('person_id', '=', personId).execute()
  return count
}

const factorStatements = ['person_credentials', 'fortanix_recovery_codes'].map((table) =>
  statement(`delete from ${table} where person_id = $1 returning person_id`),
)

export interface EndedMembership {
  readonly org_id: string
  readonly principal_id: string | null
  readonly role: string
}

/** Disables a person in every account. @returns those in which they were not */
export async function disableMemberships(tx: Tx, personId: string, at: Date): Promise<EndedMembership[]> {
  return await tx
    .updateTable('fortanix_members')
    .set({ is_enabled: false, updated_at: at })
    .where('person_id', '=', personId)
    .where('is_enabled', '=', true)
    .returning(['org_id', 'principal_id', 'role'])
    .execute()
}

/** @returns how many rows held something else */
export async function eraseApp(tx: Tx, orgId: string, id: string): Promise<number> {
  return (await appStatement(tx, [orgId, id, erasedOf(id), erased])).length
}

const appStatement = statement(`
  update fortanix_apps set name = $3, description = null, app_type = $4
  where org_id = $1 and principal_id = $2 and (name, description, app_type) is distinct from ($3, null, $4)
  returning principal_id`)

/** @returns how many rows held something else */
export async function eraseKey(tx: Tx, orgId: string, id: string): Promise<number> {
  return (await keyStatement(tx, [orgId, id, erasedOf(id)])).length
}

const keyStatement = statement(`
  update fortanix_keys set name = $3, description = null
  where org_id = $1 and id = $2 and (name, description) is distinct from ($3, null) returning id`)

/** What a request is to do, held until the transaction ends; undefined for one of another dialect. */
export async function lockErasedOperation(
  tx: Tx,
  orgId: string,
  id: string,
): Promise<{ execution: string } | undefined> {
  return await tx
    .selectFrom('fortanix_requests')
    .select('execution')
    .where('org_id', '=', orgId)
    .where('request_id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

/** What it was called with and what it answered, with all that came with approvals. @returns how many rows held something else */
export async function eraseOperation(tx: Tx, orgId: string, id: string): Promise<number> {
  const changed = await operationStatement(tx, [orgId, id])
  const sent = await sentStatement(tx, [orgId, id])
  return changed.length + sent.length
}

const operationStatement = statement(`
  update fortanix_requests set operation = split_part(operation, '?', 1), body = null, result = null
  where org_id = $1 and request_id = $2 and (operation like '%?%' or body is not null or result is not null)
  returning request_id`)

const sentStatement = statement(
  `delete from fortanix_approvals where org_id = $1 and request_id = $2 returning principal_id`,
)

/** The account that an organization is, held until the transaction ends. */
export async function lockErasedAccount(tx: Tx, orgId: string): Promise<{ creator_id: string | null } | undefined> {
  return await tx
    .selectFrom('fortanix_accounts')
    .select('creator_id')
    .where('org_id', '=', orgId)
    .forUpdate()
    .executeTakeFirst()
}

/** @param alsoName of an account that somebody made and called so @returns how many rows held something else */
export async function eraseAccount(tx: Tx, orgId: string, alsoName: boolean): Promise<number> {
  const described = await describedStatement(tx, [orgId])
  return described.length + (alsoName ? (await calledStatement(tx, [orgId, erasedOf(orgId)])).length : 0)
}

const describedStatement = statement(
  `update fortanix_accounts set description = null where org_id = $1 and description is not null returning org_id`,
)

const calledStatement = statement(`update organizations set name = $2 where id = $1 and name <> $2 returning id`)
