import type { Db } from './open.ts'
import type { NewRow, Row } from './schema.ts'

export async function insertSignInFlow(db: Db, flow: NewRow<'sign_in_flows'>): Promise<void> {
  await db.insertInto('sign_in_flows').values(flow).execute()
}

export async function findSignInFlow(db: Db, stateHash: string): Promise<Row<'sign_in_flows'> | undefined> {
  return await db.selectFrom('sign_in_flows').selectAll().where('state_hash', '=', stateHash).executeTakeFirst()
}

/** True for exactly one of the calls that see the flow unused. */
export async function markSignInFlowUsed(db: Db, stateHash: string, at: Date): Promise<boolean> {
  const marked = await db
    .updateTable('sign_in_flows')
    .set({ used_at: at })
    .where('state_hash', '=', stateHash)
    .where('used_at', 'is', null)
    .returning('state_hash')
    .executeTakeFirst()
  return marked !== undefined
}

/** Forgets the verifier of a flow whose code exchange is over, however it ended. */
export async function finishSignInFlow(db: Db, stateHash: string): Promise<void> {
  await db
    .updateTable('sign_in_flows')
    .set({ sealed_verifier: new Uint8Array() })
    .where('state_hash', '=', stateHash)
    .execute()
}
