import { sql, type Kysely } from 'kysely'

/**
 * By which the sealer knows the leaves that the server itself wrote. Leaves from before have none: those that are sealed need none, and what
 * the release before has left unsealed stays so.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `alter table audit_leaves add column mark bytea`,
  `drop trigger audit_leaves_unchanged on audit_leaves`,
  `create trigger audit_leaves_unchanged before update on audit_leaves for each row
    when (not coalesce(new.private is null or old.private @> new.private, false)
      or (old.org_id, old.id, old.tx_id, old.kind, old.subject_id, old.content, old.mark, old.created_at)
      is distinct from (new.org_id, new.id, new.tx_id, new.kind, new.subject_id, new.content, new.mark, new.created_at))
    execute function refuse_change()`,
]
