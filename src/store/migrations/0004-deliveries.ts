import { sql, type Kysely } from 'kysely'

/** What is sent after a decision, one row for each event and action (contract §3.7). The jobs that send it are pg-boss's. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  // The request's own columns are copied: what was decided is told also when its space is deleted the next moment.
  `create table deliveries (
    org_id uuid not null references organizations,
    id uuid not null,
    request_id uuid not null,
    request_name text not null,
    from_status text not null,
    to_status text not null,
    occurred_at timestamptz not null,
    kind text not null check (kind in ('EMAIL', 'WEBHOOK', 'SLACK')),
    action bytea not null,
    status text not null check (status in ('pending', 'completed', 'error')),
    attempts integer not null default 0,
    reason text,
    response jsonb,
    locked_by text,
    locked_until timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (org_id, id)
  ) with (fillfactor = 80)`,
  // Every list is merged from one page for each kind and status, so that two indexes serve every filter (store/delivery-list.ts).
  `create index deliveries_list on deliveries (org_id, kind, status, created_at desc, id desc)`,
  `create index deliveries_of_request on deliveries (org_id, request_id, kind, status, created_at desc, id desc)`,
  `create index deliveries_locked on deliveries (locked_by) where locked_by is not null`,
  `create index deliveries_done on deliveries (status, updated_at) where status <> 'pending'`,
]
