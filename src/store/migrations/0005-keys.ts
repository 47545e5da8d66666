import { sql, type Kysely } from 'kysely'

/** The keys that sign webhooks (https://www.standardwebhooks.com, symmetric). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  // Sealed, and not hashed: whoever checks a signature needs the same secret. Of an organization's keys the newest has no
  // expiry, and the one before it may have one that is still to come.
  `create table webhook_keys (
    org_id uuid not null references organizations,
    id uuid not null,
    secret bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    primary key (org_id, id)
  )`,
  `create index webhook_keys_expiry on webhook_keys (expires_at) where expires_at is not null`,
]
