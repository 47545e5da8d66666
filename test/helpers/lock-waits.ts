import { sql } from 'kysely'
import { expect } from 'vitest'
import type { Db } from '../../src/store/open.ts'

/** How many transactions on this PostgreSQL database wait for a lock that another holds. */
export async function countWaiting(db: Db): Promise<number> {
  const { rows } = await sql`select 1 from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
  return rows.length
}

/** Until so many transactions on this PostgreSQL database wait. */
export async function untilWaiting(db: Db, count = 1): Promise<void> {
  await expect.poll(() => countWaiting(db)).toBe(count)
}
