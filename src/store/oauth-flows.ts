import type { Db } from './open.ts'
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
