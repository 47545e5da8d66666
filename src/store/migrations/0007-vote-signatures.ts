import { sql, type Kysely } from 'kysely'

/** What voters sign themselves: the JWS as it was sent. The leaf of the vote commits to it by its hash. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table votes add column signature text`.execute(db)
}
