import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

/** An account, with the name of its organization. */
export type AccountRow = Row<'fortanix_accounts'> & { readonly name: string }

export async function insertAccount(tx: Tx, account: NewRow<'fortanix_accounts'>): Promise<void> {
  await tx.insertInto('fortanix_accounts').values(account).execute()
}

const accounts = (db: Db) =>
  db
    .selectFrom('fortanix_accounts as t')
    .innerJoin('organizations as o', 'o.id', 't.org_id')
    .selectAll('t')
    .select('o.name')

export async function findAccount(db: Db, orgId: string): Promise<AccountRow | undefined> {
  return await accounts(db).where('t.org_id', '=', orgId).executeTakeFirst()
}

/** As `findAccount`, and holds up whoever changes it until the transaction ends, and nobody who only reads. */
export async function shareAccount(tx: Tx, orgId: string): Promise<AccountRow | undefined> {
  return await accounts(tx).where('t.org_id', '=', orgId).forShare('t').executeTakeFirst()
}

/** Holds up every other change of the account, and of who administers it, until the transaction ends. */
export async function lockAccount(tx: Tx, orgId: string): Promise<AccountRow | undefined> {
  return await accounts(tx).where('t.org_id', '=', orgId).forNoKeyUpdate('t').executeTakeFirst()
}

/** Which part of a list, in the order of ids. */
export interface AccountSlice {
  readonly after: string | null
  readonly isDescending: boolean
  readonly limit: number
  readonly offset: number
}

/** Accounts that a person has joined. */
export async function findAccountsOf(
  db: Db,
  personId: string,
  { after, isDescending, limit, offset }: AccountSlice,
): Promise<AccountRow[]> {
  return await accounts(db)
    .innerJoin('fortanix_members as m', 'm.org_id', 't.org_id')
    .where('m.person_id', '=', personId)
    .where('m.state', '=', 'joined')
    .$if(after !== null, (query) => query.where('t.org_id', isDescending ? '<' : '>', after ?? ''))
    .orderBy('t.org_id', isDescending ? 'desc' : 'asc')
    .limit(limit)
    .offset(offset)
    .execute()
}

/** What may be changed of an account. */
export type AccountChange = Partial<
  Pick<
    NewRow<'fortanix_accounts'>,
    'description' | 'policy' | 'protects' | 'request_seconds' | 'retains_expired' | 'logs_expired' | 'checks_sensitive'
  >
> & { readonly updated_at: Date }

export async function updateAccount(tx: Tx, orgId: string, change: AccountChange): Promise<void> {
  await tx.updateTable('fortanix_accounts').set(change).where('org_id', '=', orgId).execute()
}

export async function renameOrganization(tx: Tx, orgId: string, name: string): Promise<void> {
  await tx.updateTable('organizations').set({ name }).where('id', '=', orgId).execute()
}
