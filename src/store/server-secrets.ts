import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { masterKeyId } from '../config/master-keys.ts'
import { headerOf, keyNumberOf, seal, unseal, type KeyRing } from '../config/secrets.ts'
import { AppError } from '../errors.ts'
import type { Db } from './open.ts'
import type { Row } from './schema.ts'

export type ServerSecret = Row<'server_secrets'>

/**
 * A 32-byte key that the server made for itself on first start and keeps in the store, sealed under the first master key when
 * there is one and for its name alone, so that none can stand for another. Two processes that start at once agree on the first one written.
 * @throws AppError CONFIGURATION_INVALID without the master key that it was sealed under, or when it is damaged
 */
export async function serverSecret(db: Db, name: string, masterKeys: KeyRing | null, now: Date): Promise<Buffer> {
  await insertServerSecret(db, name, masterKeys, now)
  const row = await db.selectFrom('server_secrets').selectAll().where('name', '=', name).executeTakeFirstOrThrow()
  return openServerSecret(row, masterKeys)
}

/** Makes a secret, unless there is one of this name. */
export async function insertServerSecret(db: Db, name: string, masterKeys: KeyRing | null, now: Date): Promise<void> {
  const fresh = randomBytes(secretBytes)
  const kept = { value: masterKeys ? seal(masterKeys, fresh, name) : fresh, is_sealed: masterKeys !== null }
  await db
    .insertInto('server_secrets')
    .values({ name, ...kept, created_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
}

/** @throws AppError CONFIGURATION_INVALID */
export function openServerSecret({ name, value, is_sealed }: ServerSecret, masterKeys: KeyRing | null): Buffer {
  // Whoever can write to the table, and has no master key, would choose it.
  if (!is_sealed && masterKeys !== null) throw unsealed(name)
  const secret = is_sealed ? openSealed(name, value, masterKeys) : Buffer.from(value)
  if (secret.length !== secretBytes) throw damaged(name)
  return secret
}

/**
 * Seals anew, under the first master key, whatever is readable or under another of them: all of it or, when one cannot be
 * opened or the process is killed, none. Of processes that start at once one does it while the others wait. What is readable
 * beside what is sealed was not written by a server, and is not taken.
 * @returns how many secrets that were
 * @throws AppError CONFIGURATION_INVALID
 */
export async function sealServerSecrets(db: Db, masterKeys: KeyRing | null): Promise<number> {
  if (masterKeys === null) return 0
  return await db.transaction().execute(async (tx) => {
    const stale = await tx
      .selectFrom('server_secrets')
      .selectAll()
      .where((row) =>
        row.or([row('is_sealed', '=', false), row(sql`substring(value from 1 for 5)`, '<>', headerOf(masterKeys))]),
      )
      .orderBy('name')
      .forUpdate()
      .execute()
    const readable = stale.filter(({ is_sealed }) => !is_sealed)
    const [foreign] = readable
    if (foreign !== undefined && (await hasSealedSecret(tx))) throw unsealed(foreign.name)
    for (const row of stale) {
      const value = seal(masterKeys, openServerSecret(row, row.is_sealed ? masterKeys : null), row.name)
      await tx.updateTable('server_secrets').set({ value, is_sealed: true }).where('name', '=', row.name).execute()
    }
    return stale.length
  })
}

const secretBytes = 32

async function hasSealedSecret(tx: Db): Promise<boolean> {
  const row = await tx
    .selectFrom('server_secrets')
    .select('name')
    .where('is_sealed', '=', true)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

function openSealed(name: string, value: Uint8Array, masterKeys: KeyRing | null): Buffer {
  if (masterKeys === null) throw wrongMasterKey("is missing: this store's secrets are sealed under one.")
  const number = keyNumberOf(value)
  if (number !== null && !masterKeys.held.byNumber.has(number)) {
    const id = masterKeyId(number)
    throw wrongMasterKey(`is not the one that this store's secrets are sealed under: that one has the id ${id}.`)
  }
  try {
    return unseal(masterKeys, value, name)
  } catch (cause) {
    // What names its key and is of this name can be opened with it, or is damaged. What names none may be under any key.
    if (number !== null || value.length < unnamedBytes) throw damaged(name, cause)
    throw wrongMasterKey("is not the one that this store's secrets are sealed under.", cause)
  }
}

/** A secret in the first format, which names no key. */
const unnamedBytes = 1 + 12 + 16 + secretBytes

function wrongMasterKey(problem: string, cause?: unknown): AppError {
  return new AppError('CONFIGURATION_INVALID', `QUORATE_MASTER_KEY ${problem}`, { field: 'QUORATE_MASTER_KEY', cause })
}

function unsealed(name: string): AppError {
  const problem = `The store's secret "${name}" is not sealed under QUORATE_MASTER_KEY as the others are: somebody else has written it. Restore the table server_secrets from a backup.`
  return new AppError('CONFIGURATION_INVALID', problem, { field: 'QUORATE_MASTER_KEY' })
}

function damaged(name: string, cause?: unknown): AppError {
  const problem = `The store's secret "${name}" is damaged. Restore the table server_secrets from a backup.`
  return new AppError('CONFIGURATION_INVALID', problem, { cause })
}
