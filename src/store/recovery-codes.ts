import type { Tx } from './open.ts'

/** Makes these the codes of a person. */
export async function replaceRecoveryCodes(
  tx: Tx,
  personId: string,
  hashes: readonly string[],
  at: Date,
): Promise<void> {
  await tx.deleteFrom('fortanix_recovery_codes').where('person_id', '=', personId).execute()
  await tx
    .insertInto('fortanix_recovery_codes')
    .values(hashes.map((hash) => ({ person_id: personId, code_hash: hash, created_at: at })))
    .execute()
}

/** False when the person has no such code, or it was spent. */
export async function spendRecoveryCode(tx: Tx, personId: string, hash: string): Promise<boolean> {
  const spent = await tx
    .deleteFrom('fortanix_recovery_codes')
    .where('person_id', '=', personId)
    .where('code_hash', '=', hash)
    .returning('person_id')
    .executeTakeFirst()
  return spent !== undefined
}
