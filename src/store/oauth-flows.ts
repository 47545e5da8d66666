import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

export type OauthFlowRow = Row<'oauth_flows'>

export async function insertOauthFlow(db: Db, flow: NewRow<'oauth_flows'>): Promise<void> {
  await db.insertInto('oauth_flows').values(flow).execute()
}

/** A sign-in that was begun and not completed yet. */
export async function findOpenOauthFlow(db: Db, sessionHash: string, now: Date): Promise<OauthFlowRow | undefined> {
  return await db
    .selectFrom('oauth_flows')
    .selectAll()
    .where('session_hash', '=', sessionHash)
    .where('session_used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

export interface CompletedFlow {
  readonly principalId: string
  readonly codeHash: string
  readonly at: Date
  /** Of the code. */
  readonly expiresAt: Date
}

/** Gives the flow its code. True for exactly one of the calls that saw it open. */
export async function completeOauthFlow(db: Db, sessionHash: string, completed: CompletedFlow): Promise<boolean> {
  const { principalId, codeHash, at, expiresAt } = completed
  const row = await db
    .updateTable('oauth_flows')
    .set({ principal_id: principalId, code_hash: codeHash, session_used_at: at, expires_at: expiresAt })
    .where('session_hash', '=', sessionHash)
    .where('session_used_at', 'is', null)
    .where('expires_at', '>', at)
    .returning('session_hash')
    .executeTakeFirst()
  return row !== undefined
}

/** Whose sign-in a code completes; undefined when there is no such code. */
export async function findCodeHolder(
  db: Db,
  codeHash: string,
): Promise<{ readonly org_id: string; readonly principal_id: string | null } | undefined> {
  return await db
    .selectFrom('oauth_flows')
    .select(['org_id', 'principal_id'])
    .where('code_hash', '=', codeHash)
    .executeTakeFirst()
}

/** Forgets every sign-in under way that somebody has proved themselves in. Runs under `lockSessions`. */
export async function deleteOauthFlowsOf(tx: Tx, orgId: string, principalId: string): Promise<void> {
  await tx.deleteFrom('oauth_flows').where('org_id', '=', orgId).where('principal_id', '=', principalId).execute()
}

/** Spends a code: the flow, for exactly one of the calls that bring it. */
export async function spendOauthCode(db: Db, codeHash: string, at: Date): Promise<OauthFlowRow | undefined> {
  return await db
    .updateTable('oauth_flows')
    .set({ code_used_at: at })
    .where('code_hash', '=', codeHash)
    .where('code_used_at', 'is', null)
    .where('expires_at', '>', at)
    .returningAll()
    .executeTakeFirst()
}
