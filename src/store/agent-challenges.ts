import type { Db, Tx } from './open.ts'
import type { NewRow, Row } from './schema.ts'

export async function insertAgentChallenge(db: Db, challenge: NewRow<'agent_challenges'>): Promise<void> {
  await db.insertInto('agent_challenges').values(challenge).execute()
}

export async function findAgentChallenge(db: Db, nonceHash: string): Promise<Row<'agent_challenges'> | undefined> {
  return await db.selectFrom('agent_challenges').selectAll().where('nonce_hash', '=', nonceHash).executeTakeFirst()
}

/** True for exactly one of the transactions that see the challenge unused. */
export async function markAgentChallengeUsed(tx: Tx, nonceHash: string, at: Date): Promise<boolean> {
  const marked = await tx
    .updateTable('agent_challenges')
    .set({ used_at: at })
    .where('nonce_hash', '=', nonceHash)
    .where('used_at', 'is', null)
    .returning('nonce_hash')
    .executeTakeFirst()
  return marked !== undefined
}

export async function deleteOpenChallenges(tx: Tx, orgId: string, principalId: string): Promise<void> {
  await tx
    .deleteFrom('agent_challenges')
    .where('org_id', '=', orgId)
    .where('principal_id', '=', principalId)
    .where('used_at', 'is', null)
    .execute()
}
