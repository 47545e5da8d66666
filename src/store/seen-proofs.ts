import type { Db } from './open.ts'
import type { NewRow } from './schema.ts'

/**
 * True the first time this principal shows the proof, for exactly one of any calls at once; false until the proof is
 * forgotten. In a transaction that rolls back it was not shown.
 */
export async function recordProof(db: Db, proof: NewRow<'seen_proofs'>, now: Date): Promise<boolean> {
  const recorded = await db
    .insertInto('seen_proofs')
    .values(proof)
    .onConflict((conflict) =>
      conflict
        .columns(['org_id', 'principal_id', 'jti_hash'])
        .doUpdateSet({ expires_at: proof.expires_at })
        .where('seen_proofs.expires_at', '<=', now),
    )
    .returning('jti_hash')
    .executeTakeFirst()
  return recorded !== undefined
}
