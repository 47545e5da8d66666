import { sql } from 'kysely'
import type { Db, Tx } from './open.ts'
import type { NewRow, PrincipalKind, Row } from './schema.ts'

export async function insertRefreshToken(tx: Tx, token: NewRow<'refresh_tokens'>): Promise<void> {
  await tx.insertInto('refresh_tokens').values(token).execute()
}

export type FoundRefreshToken = Row<'refresh_tokens'> & { readonly kind: PrincipalKind }

export async function findRefreshToken(db: Db, tokenHash: string): Promise<FoundRefreshToken | undefined> {
  return await db
    .selectFrom('refresh_tokens as t')
    .innerJoin('principals as a', (join) =>
      join.onRef('a.org_id', '=', 't.org_id').onRef('a.id', '=', 't.principal_id'),
    )
    .selectAll('t')
    .select('a.kind')
    .where('t.token_hash', '=', tokenHash)
    .executeTakeFirst()
}

/** Makes the refreshes of one family wait for each other, so that none adds a token to a family that another revokes. */
export async function lockRefreshFamily(tx: Tx, familyId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`refresh-family:${familyId}`}, 0))`.execute(tx)
}

export async function markRefreshTokenUsed(tx: Tx, tokenHash: string, at: Date): Promise<void> {
  await tx
    .updateTable('refresh_tokens')
    .set({ used_at: at })
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .execute()
}

export async function revokeRefreshFamilies(tx: Tx, familyIds: readonly string[], at: Date): Promise<void> {
  await tx
    .updateTable('refresh_tokens')
    .set({ revoked_at: at })
    .where(sql<boolean>`family_id = any(${familyIds}::uuid[])`)
    .where('revoked_at', 'is', null)
    .execute()
}
