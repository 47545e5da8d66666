import { deserialize, serialize } from 'node:v8'
import { AppError } from '../errors.ts'
import { seal, unseal, type KeyRing } from '../config/secrets.ts'
import { constraintCodes } from './constraints.ts'
import type { Db, Tx } from './open.ts'

/** A call that must take effect once however often it is repeated: its Idempotency-Key, and what was asked under it. */
export interface Once {
  /** Whose key it is: the id of a principal, or of the API key that speaks for it. */
  readonly caller: string
  readonly key: string
  /** SHA-256 of method, path and canonical body. */
  readonly fingerprint: string
}

interface Ground {
  readonly db: Db
  readonly keys: { readonly atRest: KeyRing }
  readonly clock: { now(): Date }
}

/** Hands over the last statement of a unit of work, already sent but not waited for: the commit follows it in one packet. */
export type WithCommit = (last: Promise<unknown>) => void

/**
 * Runs `work` in one transaction. With `once`, the answer is stored in that same transaction and a repeated call gets it
 * back without running; a concurrent repetition waits for the first. A refused call stores nothing and may be repeated.
 *
 * `work` runs again when the database ends it for a deadlock, so it must change nothing but the database. Where `ground.db`
 * is a transaction already, `work` joins it.
 * @throws AppError IDEMPOTENCY_KEY_REUSED; the code of a unique constraint that `work` ran into
 */
export async function transact<T>(
  ground: Ground,
  once: Once | null,
  work: (tx: Tx, withCommit: WithCommit) => Promise<T>,
): Promise<T> {
  // Part of a larger unit of work: its transaction commits, runs again or rolls back as a whole.
  if (ground.db.isTransaction) return await joined(ground.db as Tx, work)
  for (let attempt = 1; ; attempt++) {
    const last: Promise<unknown>[] = []
    const withCommit: WithCommit = (statement) => {
      statement.catch(() => {})
      last.push(statement)
    }
    try {
      const answer = await ground.db
        .transaction()
        .execute((tx) => (once === null ? work(tx, withCommit) : workOnce(ground, tx, once, withCommit, work)))
      // PostgreSQL turns the commit of a transaction whose last statement failed into a rollback; here is where that shows.
      await Promise.all(last)
      return answer
    } catch (error) {
      const failed = (await Promise.allSettled(last)).find((statement) => statement.status === 'rejected')
      const cause: unknown = failed?.reason ?? error
      if (attempt < maxAttempts && isDeadlock(cause)) continue
      throw refusalOf(cause)
    }
  }
}

async function joined<T>(tx: Tx, work: (tx: Tx, withCommit: WithCommit) => Promise<T>): Promise<T> {
  const last: Promise<unknown>[] = []
  const answer = await work(tx, (statement) => void last.push(statement))
  await Promise.all(last)
  return answer
}

const maxAttempts = 4

async function workOnce<T>(
  ground: Ground,
  tx: Tx,
  once: Once,
  withCommit: WithCommit,
  work: (tx: Tx, withCommit: WithCommit) => Promise<T>,
): Promise<T> {
  const { caller, key, fingerprint } = once
  // Waits here while another transaction holds the same key, then finds its row.
  const claimed = await tx
    .insertInto('idempotency_keys')
    .values({ caller, key, fingerprint, answer: null, created_at: ground.clock.now() })
    .onConflict((conflict) => conflict.columns(['caller', 'key']).doNothing())
    .returning('key')
    .executeTakeFirst()
  if (claimed === undefined) {
    const answer = await storedAnswer<T>(ground, tx, once)
    if (answer === undefined) throw new AppError('IDEMPOTENCY_KEY_IN_PROGRESS')
    return answer
  }
  const answer = await work(tx, withCommit)
  await tx
    .updateTable('idempotency_keys')
    .set({ answer: seal(ground.keys.atRest, serialize(answer)) })
    .where('caller', '=', caller)
    .where('key', '=', key)
    .execute()
  return answer
}

/**
 * The stored answer of a call that was made before, for work that cannot run inside one transaction.
 * @throws AppError IDEMPOTENCY_KEY_REUSED
 */
export async function findAnswer<T>(ground: Ground, once: Once | null): Promise<T | undefined> {
  return once === null ? undefined : await storedAnswer<T>(ground, ground.db, once)
}

async function storedAnswer<T>(ground: Ground, db: Db, once: Once): Promise<T | undefined> {
  const row = await db
    .selectFrom('idempotency_keys')
    .select(['fingerprint', 'answer'])
    .where('caller', '=', once.caller)
    .where('key', '=', once.key)
    .executeTakeFirst()
  if (row === undefined) return undefined
  if (row.fingerprint !== once.fingerprint) throw new AppError('IDEMPOTENCY_KEY_REUSED')
  if (row.answer === null) throw new AppError('IDEMPOTENCY_KEY_IN_PROGRESS')
  return deserialize(unseal(ground.keys.atRest, row.answer)) as T
}

interface DatabaseError {
  readonly code?: unknown
  readonly constraint?: unknown
}

/** The database ended the work to let another go on; nothing of it is written and it may run again. */
export function isDeadlock(error: unknown): boolean {
  const { code } = (error ?? {}) as DatabaseError
  return code === '40P01' || code === '40001'
}

/** What an error of the database means to who caused it: the refusal of the constraint that it ran into, or the error itself. */
export function refusalOf(error: unknown): unknown {
  const { code, constraint } = (error ?? {}) as DatabaseError
  if (code !== '23505' || typeof constraint !== 'string') return error
  const refusal = constraintCodes[constraint]
  return refusal === undefined ? error : new AppError(refusal, undefined, { cause: error })
}
