import { sql, type RawBuilder } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { CredentialKind } from './schema-access.ts'
import type { NewRow, PrincipalKind, Row } from './schema.ts'

export type CredentialRow = Row<'credentials'>

/** What somebody proves themselves with, and whether they may still. */
export type FoundCredential = CredentialRow & {
  readonly principal_kind: PrincipalKind
  readonly disabled_at: Date | null
}

// The secret of an app, which signs in elsewhere (fortanix-apps.ts), is none of these.
const found = (db: Db, orgId: string, kind: CredentialKind) =>
  db
    .selectFrom('credentials as c')
    .innerJoin('principals as a', (join) =>
      join.onRef('a.org_id', '=', 'c.org_id').onRef('a.id', '=', 'c.principal_id'),
    )
    .selectAll('c')
    .select(['a.kind as principal_kind', 'a.disabled_at'])
    .where('c.org_id', '=', orgId)
    .where('c.kind', '=', kind)
    .where(isNoApp('c.principal_id'))

/** That a principal, named by a column, is no app of an account. */
export const isNoApp = (principal: string): RawBuilder<boolean> =>
  sql<boolean>`not exists (select 1 from fortanix_apps f where f.principal_id = ${sql.ref(principal)})`

/** By name, whatever its case. */
export async function findCredential(
  db: Db,
  orgId: string,
  kind: CredentialKind,
  name: string,
): Promise<FoundCredential | undefined> {
  return await found(db, orgId, kind)
    .where(sql`lower(c.name)`, '=', sql`lower(${name}::text)`)
    .executeTakeFirst()
}

export async function findCredentialOf(
  db: Db,
  orgId: string,
  kind: CredentialKind,
  principalId: string,
): Promise<FoundCredential | undefined> {
  return await found(db, orgId, kind).where('c.principal_id', '=', principalId).executeTakeFirst()
}

export async function insertCredential(tx: Tx, credential: NewRow<'credentials'>): Promise<void> {
  await tx.insertInto('credentials').values(credential).execute()
}

/** What may be changed of a credential. */
export interface CredentialChange {
  readonly name?: string
  readonly hash?: string
  readonly sealed?: Uint8Array
  readonly changed_at: Date
}

export async function updateCredential(
  tx: Tx,
  orgId: string,
  kind: CredentialKind,
  principalId: string,
  change: CredentialChange,
): Promise<void> {
  await tx
    .updateTable('credentials')
    .set(change)
    .where('org_id', '=', orgId)
    .where('kind', '=', kind)
    .where('principal_id', '=', principalId)
    .execute()
}

export async function deleteCredentialsOf(tx: Tx, orgId: string, principalId: string): Promise<void> {
  await tx.deleteFrom('credentials').where('org_id', '=', orgId).where('principal_id', '=', principalId).execute()
}
