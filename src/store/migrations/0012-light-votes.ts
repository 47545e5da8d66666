import { sql, type Kysely } from 'kysely'

/**
 * What every vote paid for though it is about something else. A foreign key to a request is looked at with each update of the request, and
 * a check is read and planned anew with each row: what hangs on a request goes with it as its votes do.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

/** Rows of these are written in the transaction that makes the request, or that holds its row. */
const parts = ['privx_requests', 'request_grants', 'fortanix_requests', 'fortanix_approvals']

const statements = [
  `alter table votes drop constraint votes_evidence_check`,
  ...parts.map((table) => `alter table ${table} drop constraint ${table}_org_id_request_id_fkey`),
  `alter function delete_votes() rename to delete_request_parts`,
  `create or replace function delete_request_parts() returns trigger language plpgsql as $$
    begin
      ${['votes', ...parts].map((table) => `delete from ${table} where org_id = old.org_id and request_id = old.id;`).join('\n      ')}
      return null;
    end
  $$`,
  `alter trigger requests_delete_votes on requests rename to requests_delete_parts`,
]
