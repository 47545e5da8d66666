import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { KeyRing } from '../config/secrets.ts'
import { ed25519Signer, type NoteSigner } from '../proof/note.ts'
import type { Db } from '../store/open.ts'
import { insertServerSecret, openServerSecret, type ServerSecret } from '../store/server-secrets.ts'

/** A key that signs the logs of all organizations of this store (Ed25519). */
export interface LogKey {
  /** From 1 up. */
  readonly number: number
  readonly privateKey: KeyObject
  readonly from: Date
  /** When it ceases to sign; null for the newest, which signs until there is another. */
  readonly until: Date | null
}

interface Ground {
  readonly db: Db
  readonly config: { readonly masterKeys: KeyRing | null }
  readonly clock: { now(): Date }
}

/** So long a key signs beside the one that came after it: time for everyone who verifies to learn of the new one. */
export const overlapMilliseconds = 30 * 86_400_000

const first = 'log-key'

/**
 * All log keys, newest first. The first is made when there is none; processes that do so at once agree on one.
 * @throws AppError CONFIGURATION_INVALID without the master key, or when one is damaged
 */
export async function readLogKeys({ db, config, clock }: Ground): Promise<LogKey[]> {
  const stored = await storedLogKeys(db)
  if (stored.length === 0) {
    await insertServerSecret(db, nameOf(1), config.masterKeys, clock.now())
    stored.push(...(await storedLogKeys(db)))
  }
  return stored.map((row, place) => ({
    number: logKeyNumber(row.name),
    privateKey: privateKeyOf(openServerSecret(row, config.masterKeys)),
    from: row.created_at,
    until: endOf(stored[place - 1]?.created_at),
  }))
}

/**
 * Those of the keys that sign now, for the log of this origin; the newest first, whatever the clock says.
 * @param before who signed the checkpoint before: of a log that was idle for longer than keys overlap the last of them signs once
 *   more, or nothing would lead from the one key to the other
 */
export function signersOf(
  keys: readonly LogKey[],
  origin: string,
  now: Date,
  before: readonly LogKey[] = [],
): NoteSigner[] {
  const current = keys.filter(({ until }) => until === null || now < until)
  const [last] = before
  const isContinued = last === undefined || before.some(({ number }) => current.some((key) => key.number === number))
  return [...current, ...(isContinued ? [] : [last])].map(({ privateKey }) => ed25519Signer(origin, privateKey))
}

/** Makes one more key, which signs from now on; the one before signs beside it until `until`. */
export async function addLogKey({ db, config, clock }: Ground): Promise<{ readonly number: number; until: Date }> {
  const ground = { db, config, clock }
  const [newest] = await readLogKeys(ground)
  const number = (newest?.number ?? 0) + 1
  const now = clock.now()
  // Two that do so at once make one.
  await insertServerSecret(db, nameOf(number), config.masterKeys, now)
  return { number, until: new Date(now.getTime() + overlapMilliseconds) }
}

/** As they are kept, newest first. */
export async function storedLogKeys(db: Db): Promise<ServerSecret[]> {
  const rows = await db
    .selectFrom('server_secrets')
    .selectAll()
    .where((row) => row.or([row('name', '=', first), row('name', 'like', `${first}-%`)]))
    .execute()
  return rows.toSorted((a, b) => logKeyNumber(b.name) - logKeyNumber(a.name))
}

function nameOf(number: number): string {
  return number === 1 ? first : `${first}-${number}`
}

/** From 1 up. @param name of the row */
export function logKeyNumber(name: string): number {
  return name === first ? 1 : Number(name.slice(first.length + 1))
}

function endOf(next: Date | undefined): Date | null {
  return next === undefined ? null : new Date(next.getTime() + overlapMilliseconds)
}

/** The public half, 32 bytes (RFC 8032), of a key as it is kept. @param seed 32 bytes */
export function publicHalfOf(seed: Buffer): Uint8Array {
  const { x = '' } = createPublicKey(privateKeyOf(seed)).export({ format: 'jwk' })
  return Buffer.from(x, 'base64url')
}

/** PKCS #8 of an Ed25519 key (RFC 8410 section 7), up to the key itself. */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

function privateKeyOf(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })
}
