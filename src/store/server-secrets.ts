import { randomBytes } from 'node:crypto'
import { seal, unseal } from '../config/secrets.ts'
import { AppError } from '../errors.ts'
import type { Db } from './open.ts'

/**
 * A 32-byte key that the server made for itself on first start and keeps in the store, sealed under the master key when
 * there is one. Two processes that start at once agree on the first one written.
 * @throws AppError CONFIGURATION_INVALID without the master key that it was sealed under
 */
export async function serverSecret(db: Db, name: string, masterKey: Buffer | null, now: Date): Promise<Buffer> {
  const fresh = randomBytes(32)
  await db
    .insertInto('server_secrets')
    .values({ name, value: masterKey ? seal(masterKey, fresh) : fresh, is_sealed: masterKey !== null, created_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  const row = await db.selectFrom('server_secrets').selectAll().where('name', '=', name).executeTakeFirstOrThrow()
  if (!row.is_sealed) return Buffer.from(row.value)
  if (masterKey === null) throw wrongMasterKey("is missing: this store's secrets are sealed under one.")
  try {
    return unseal(masterKey, row.value)
  } catch (cause) {
    throw wrongMasterKey("is not the one that this store's secrets are sealed under.", cause)
  }
}

function wrongMasterKey(problem: string, cause?: unknown): AppError {
  return new AppError('CONFIGURATION_INVALID', `QUORATE_MASTER_KEY ${problem}`, { field: 'QUORATE_MASTER_KEY', cause })
}
