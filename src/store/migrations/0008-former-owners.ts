import { sql, type Kysely } from 'kysely'

/** Who answered for an agent before: votes that it cast then stay theirs (ADR 1, point 20), and are found by this. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `create table former_owners (
    org_id uuid not null,
    person_id uuid not null,
    principal_id uuid not null,
    primary key (org_id, person_id, principal_id),
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,
  `insert into former_owners (org_id, person_id, principal_id)
    select distinct l.org_id, (l.content::jsonb #>> '{facts,person}')::uuid, l.subject_id
    from audit_leaves l join principals a on a.org_id = l.org_id and a.id = l.subject_id
    where l.kind in ('agent.registered', 'agent.changed')
      and (l.content::jsonb #>> '{facts,person}')::uuid is distinct from a.person_id
      and l.content::jsonb #>> '{facts,person}' is not null`,
]
