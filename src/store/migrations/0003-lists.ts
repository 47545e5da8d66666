import { sql, type Kysely } from 'kysely'

/** What the lists of quotas and of the audit log look things up by (contract §1.10, §1.11). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

// Must be the words of `audit_leaves_log`, and of the queries that want these indexes. Votes match none of it and pay nothing.
const logged = `kind in ('space.created', 'space.deleted', 'group.created', 'memberships.added', 'memberships.removed',
      'roles.assigned', 'roles.removed')`

// Whose roles a leaf about roles is about: a user's and an agent's are two types of the log.
const holder = `case when kind in ('roles.assigned', 'roles.removed') then content::jsonb #>> '{facts,holder}' else '' end`

const statements = [
  `create index quotas_list on quotas (org_id, created_at desc, id desc)`,
  `create index quotas_of_target on quotas (org_id, target_id)`,

  // The filters of the audit log: by target, by actor and by type.
  `create index audit_leaves_log_subject on audit_leaves (org_id, subject_id, kind, created_at desc, id desc)
    where ${logged}`,
  `create index audit_leaves_log_actor on audit_leaves
    (org_id, (content::jsonb #>> '{actor,id}'), created_at desc, id desc) where ${logged}`,
  `create index audit_leaves_log_type on audit_leaves (org_id, kind, (${holder}), created_at desc, id desc)
    where ${logged}`,

  `create index call_counters_age on call_counters (window_start)`,
]
