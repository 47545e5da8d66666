import type { RawBuilder } from 'kysely'
import type { Db } from '../../src/store/open.ts'
import { countWaiting } from './lock-waits.ts'

/**
 * Makes calls while `lock` is held, each once the one before waits for it, and gives what they answer after it is let go.
 * PostgreSQL alone: PGlite is one connection.
 */
export async function madeUnder<T>(
  db: Db,
  lock: RawBuilder<unknown>,
  calls: readonly (() => Promise<T>)[],
): Promise<T[]> {
  const made: Promise<T>[] = []
  await db.transaction().execute(async (tx) => {
    await lock.execute(tx)
    for (const call of calls) {
      let isOver = false
      made.push(call().finally(() => (isOver = true)))
      // One that does not wait will show in what it answers.
      while (!isOver && (await countWaiting(db)) < made.length);
    }
  })
  return await Promise.all(made)
}
