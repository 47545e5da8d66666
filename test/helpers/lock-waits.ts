import { sql } from 'kysely'
import { expect } from 'vitest'
import type { Db } from '../../src/store/open.ts'

/** Until so many transactions on this PostgreSQL database wait for a lock that another holds. */
export async function untilWaiting(db: Db, count = 1): Promise<void> {
  const waiting = sql<{ count: string }>`select count(*) as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`
  await expect.poll(async () => Number((await waiting.execute(db)).rows[0]?.count)).toBe(count)
}
