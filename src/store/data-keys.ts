import type { HeldKeys, KeyRing } from '../config/secrets.ts'
import type { Db } from './open.ts'
import { insertServerSecret, openServerSecret } from './server-secrets.ts'

/**
 * How long a data key is there before it seals: time for every process that runs to have read it, which each does once a
 * minute. Longer than that by what clocks may differ.
 */
export const noticeMilliseconds = 300_000

const first = 'at-rest'
const nameOf = (number: number) => (number === 1 ? first : `${first}-${number}`)

/**
 * The keys that seal what is secret in our own tables. The newest that has been there for its notice seals. The first is made
 * when there is none.
 * @throws AppError CONFIGURATION_INVALID without the master key, or when one is damaged
 */
export async function readDataKeys(db: Db, masterKeys: KeyRing | null, now: Date): Promise<HeldKeys> {
  await insertServerSecret(db, first, masterKeys, now)
  const held = await findDataKeys(db, masterKeys, now)
  if (held === null) throw new Error('the data key that was made is gone')
  return held
}

/**
 * As `readDataKeys`, for whoever must not make one: null when there is none.
 * @throws AppError CONFIGURATION_INVALID
 */
export async function findDataKeys(db: Db, masterKeys: KeyRing | null, now: Date): Promise<HeldKeys | null> {
  const row = await db.selectFrom('server_secrets').selectAll().where('name', '=', first).executeTakeFirst()
  if (row === undefined) return null
  const key = openServerSecret(row, masterKeys)
  const byNumber = new Map([[1, key]])
  let sealing = 1
  for (const later of await laterKeys(db)) {
    const number = numberOf(later.name)
    byNumber.set(number, openServerSecret(later, masterKeys))
    if (later.created_at.getTime() + noticeMilliseconds <= now.getTime()) sealing = Math.max(sealing, number)
  }
  // Before keys had numbers there was the first alone.
  return { sealing, byNumber, unnamed: [key] }
}

/** A data key that was made, and from when on it seals. */
export interface NewDataKey {
  readonly number: number
  readonly sealsFrom: Date
}

/** Makes one more data key. Two processes that do so at once make one. */
export async function addDataKey(db: Db, masterKeys: KeyRing | null, now: Date): Promise<NewDataKey> {
  const numbers = (await laterKeys(db)).map((row) => numberOf(row.name))
  const number = Math.max(1, ...numbers) + 1
  await insertServerSecret(db, nameOf(number), masterKeys, now)
  return { number, sealsFrom: new Date(now.getTime() + noticeMilliseconds) }
}

async function laterKeys(db: Db) {
  return await db.selectFrom('server_secrets').selectAll().where('name', 'like', `${first}-%`).execute()
}

function numberOf(name: string): number {
  return Number(name.slice(first.length + 1))
}
