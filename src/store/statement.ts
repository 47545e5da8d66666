import { CompiledQuery, type Kysely } from 'kysely'
import type { Database } from './schema.ts'

/**
 * A fixed SQL text with numbered parameters, for the few queries whose cost is that of every vote or read: nothing is
 * built per call, and PostgreSQL plans it once per connection.
 */
export function statement<Row>(sql: string): (db: Kysely<Database>, parameters: readonly unknown[]) => Promise<Row[]> {
  return async (db, parameters) => (await db.executeQuery<Row>(CompiledQuery.raw(sql, [...parameters]))).rows
}
