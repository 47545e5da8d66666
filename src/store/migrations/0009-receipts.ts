import { sql, type Kysely } from 'kysely'

/**
 * Entries of the log by what they are about. It stands here and not with the leaves so that nothing is added to the way of a
 * vote: the sealer writes it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `alter table log_entries add column about_id uuid`,
  `alter table log_entries disable trigger log_entries_unchanged`,
  `update log_entries e set about_id = l.subject_id from audit_leaves l where l.org_id = e.org_id and l.id = e.leaf_id`,
  `alter table log_entries enable trigger log_entries_unchanged`,
  `create index log_entries_about on log_entries (org_id, about_id, index)`,
]
