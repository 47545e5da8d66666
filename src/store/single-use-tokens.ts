import type { Db } from './open.ts'

export interface SingleUseToken {
  readonly id: string
  readonly purpose: string
  readonly orgId: string
  readonly principalId: string
}

export async function insertSingleUseToken(db: Db, token: SingleUseToken, expiresAt: Date): Promise<void> {
  await db
    .insertInto('single_use_tokens')
    .values({
      id: token.id,
      purpose: token.purpose,
      org_id: token.orgId,
      principal_id: token.principalId,
      expires_at: expiresAt,
    })
    .execute()
}

/** True exactly once for a token that was issued to this principal for this purpose and has not expired. */
export async function spendSingleUseToken(db: Db, token: SingleUseToken, now: Date): Promise<boolean> {
  const spent = await db
    .deleteFrom('single_use_tokens')
    .where('id', '=', token.id)
    .where('purpose', '=', token.purpose)
    .where('org_id', '=', token.orgId)
    .where('principal_id', '=', token.principalId)
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst()
  return spent !== undefined
}
