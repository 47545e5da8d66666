import { sql, type Kysely } from 'kysely'

/** Sign-ins, agents' proofs, API keys and what limits callers (contract §1.2, §1.3, §6, §7.4). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  // Letters of ASCII are folded and no others, whatever the database's locale: another alphabet has letters that fold into
  // these (the Kelvin sign into k), and would sign in as someone else.
  `drop index people_email`,
  `create unique index people_email on people (lower(email collate "C"))`,

  // One sign-in of a principal; its id is the family of its refresh tokens and the sid of its access tokens.
  `create table sessions (
    org_id uuid not null,
    id uuid not null,
    principal_id uuid not null,
    channel text not null check (channel in ('cli', 'web', 'agent')),
    user_agent text,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    ended_at timestamptz,
    primary key (org_id, id),
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,
  // Sign-ins from before there were sessions can be ended too.
  `insert into sessions (org_id, id, principal_id, channel, created_at, last_used_at)
    select org_id, family_id, principal_id, 'cli', min(created_at), max(created_at)
    from refresh_tokens where revoked_at is null group by org_id, family_id, principal_id`,
  `create index sessions_of_principal on sessions (org_id, principal_id, created_at desc, id desc)`,
  `create index sessions_use on sessions (last_used_at)`,

  // The sessions that ended while access tokens of theirs may still live, read with the principal on every call. Ending one
  // moves the eligibility version like any loss of a right, so that no vote rests on what was remembered of it.
  `alter table principals
    add column ended_sessions uuid[] not null default '{}',
    add column dpop_required boolean not null default false,
    add column revoked_by_admin boolean not null default false`,
  `drop trigger principals_move_eligibility on principals`,
  `create trigger principals_move_eligibility before update on principals for each row
    when ((old.disabled_at, old.person_id, old.ended_sessions) is distinct from
      (new.disabled_at, new.person_id, new.ended_sessions))
    execute function move_own_eligibility()`,

  // A challenge that an agent was given, by the hash of its nonce. It stays after its use, to tell used from unknown.
  `create table agent_challenges (
    nonce_hash text primary key,
    org_id uuid not null,
    principal_id uuid not null,
    used_at timestamptz,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,
  `create index agent_challenges_expiry on agent_challenges (expires_at)`,
  `create index agent_challenges_of_principal on agent_challenges (org_id, principal_id)`,

  // The thumbprint of the key that the access tokens of a family are bound to (RFC 9449 section 6.1); null for bearers.
  `alter table refresh_tokens add column jkt text`,
  `create index refresh_tokens_of_principal on refresh_tokens (org_id, principal_id)`,

  // Proofs that were seen, until they are too old to be accepted again (RFC 9449 section 11.1).
  `create table seen_proofs (
    org_id uuid not null,
    principal_id uuid not null,
    jti_hash text not null,
    expires_at timestamptz not null,
    primary key (org_id, principal_id, jti_hash)
  )`,
  `create index seen_proofs_expiry on seen_proofs (expires_at)`,

  // Keys of machine callers: 256 random bits, of which only the hash is kept. A key acts as its principal. After a rotation
  // the secret before is accepted for a while beside the new one.
  `create table api_keys (
    org_id uuid not null,
    id uuid not null,
    principal_id uuid not null,
    name text not null,
    secret_hash text not null unique,
    previous_hash text unique,
    previous_expires_at timestamptz,
    hint text not null,
    scopes text[] not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_by uuid not null,
    created_at timestamptz not null,
    primary key (org_id, id),
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,
  `create index api_keys_list on api_keys (org_id, principal_id, created_at desc, id desc)`,
  `create index api_keys_list_all on api_keys (org_id, created_at desc, id desc)`,

  // Calls of each caller in each window, shared by all processes. Not worth a log: after a crash all count from nothing.
  `create unlogged table call_counters (
    caller text not null,
    window_start timestamptz not null,
    calls integer not null,
    primary key (caller, window_start)
  )`,

  // The list of the audit log, newest first. Votes are none of it and pay nothing for it.
  `create index audit_leaves_log on audit_leaves (org_id, created_at desc, id desc)
    where kind in ('space.created', 'space.deleted', 'group.created', 'memberships.added', 'memberships.removed',
      'roles.assigned', 'roles.removed')`,
]
