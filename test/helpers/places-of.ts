import { sql } from 'kysely'
import type { Db } from '../../src/store/open.ts'

/** Tables with a row that holds a text, whatever column it is in and whatever stands around it; in the order of the alphabet. */
export async function placesOf(db: Db, text: string): Promise<string[]> {
  const { rows: tables } = await sql<{ name: string }>`select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE' order by table_name collate "C"`.execute(db)
  const found: string[] = []
  for (const { name } of tables) {
    const { rows } = await sql`select from ${sql.table(name)} t where t::text ilike ${`%${text}%`} limit 1`.execute(db)
    if (rows.length > 0) found.push(name)
  }
  return found
}
