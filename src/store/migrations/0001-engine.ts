import { sql, type Kysely } from 'kysely'

/**
 * The engine's tables (design §4). `org_id` comes first in every tenant key, so that one organization is one shard.
 * SQL for PostgreSQL 15, the oldest we run on; the embedded engine is newer and would accept more.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  `create table organizations (
    id uuid primary key,
    name text not null unique,
    created_at timestamptz not null
  )`,

  // A natural person: what one signs in as. The e-mail is kept as given and compared in lower case.
  `create table people (
    id uuid primary key,
    email text not null,
    created_at timestamptz not null
  )`,
  `create unique index people_email on people (lower(email))`,

  // A person's or an agent's membership of one organization. An agent names the person who answers for it.
  `create table principals (
    org_id uuid not null references organizations,
    id uuid not null,
    kind text not null check (kind in ('human', 'agent')),
    person_id uuid references people,
    name text not null,
    email text,
    public_key text,
    disabled_at timestamptz,
    row_version bigint not null default 1,
    eligibility_version integer not null default 0,
    created_at timestamptz not null,
    primary key (org_id, id),
    check (kind = 'agent' or (person_id is not null and email is not null))
  )`,
  `create unique index principals_human on principals (org_id, person_id) where kind = 'human'`,
  `create unique index principals_agent_name on principals (org_id, name) where kind = 'agent'`,
  `create index principals_person on principals (org_id, person_id)`,
  `create index principals_list on principals (org_id, kind, created_at, id)`,

  `create table organization_admins (
    org_id uuid not null references organizations,
    id uuid not null,
    principal_id uuid not null,
    email text not null,
    created_at timestamptz not null,
    primary key (org_id, principal_id),
    foreign key (org_id, principal_id) references principals
  )`,

  `create table groups (
    org_id uuid not null references organizations,
    id uuid not null,
    name text not null,
    description text,
    member_count integer not null default 0,
    row_version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (org_id, id)
  )`,
  `create unique index groups_name on groups (org_id, name)`,
  `create index groups_list on groups (org_id, created_at, id)`,

  `create table memberships (
    org_id uuid not null,
    group_id uuid not null,
    principal_id uuid not null,
    added_at timestamptz not null,
    primary key (org_id, group_id, principal_id),
    foreign key (org_id, group_id) references groups on delete cascade,
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,
  `create index memberships_principal on memberships (org_id, principal_id, group_id)`,
  `create index memberships_list on memberships (org_id, group_id, added_at, principal_id)`,

  // scope_id is empty for the organization; a template scope holds the template's name, which covers all its versions.
  `create table role_bindings (
    org_id uuid not null,
    principal_id uuid not null,
    role_name text not null,
    scope_type text not null check (scope_type in ('org', 'space', 'group', 'workflow_template')),
    scope_id text not null,
    created_at timestamptz not null,
    primary key (org_id, principal_id, role_name, scope_type, scope_id),
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,
  `create index role_bindings_scope on role_bindings (org_id, scope_type, scope_id, role_name)`,

  // A vote is written only if its voter's eligibility is still as it was read, and a voter is known as long as it is:
  // whatever changes it moves this version, by whichever path it comes. In the order of the ids, so that two changes of
  // several principals wait for each other and not both.
  `create function move_eligibility() returns trigger language plpgsql as $$
    begin
      perform from principals where (org_id, id) in (select org_id, principal_id from changed) order by id for no key update;
      update principals set eligibility_version = eligibility_version + 1
      where (org_id, id) in (select org_id, principal_id from changed);
      return null;
    end
  $$`,
  ...['memberships', 'role_bindings'].flatMap((table) => [
    `create trigger ${table}_given after insert on ${table} referencing new table as changed
      for each statement execute function move_eligibility()`,
    `create trigger ${table}_taken after delete on ${table} referencing old table as changed
      for each statement execute function move_eligibility()`,
  ]),
  `create function move_own_eligibility() returns trigger language plpgsql as $$
    begin new.eligibility_version := old.eligibility_version + 1; return new; end
  $$`,
  `create trigger principals_move_eligibility before update on principals for each row
    when ((old.disabled_at, old.person_id) is distinct from (new.disabled_at, new.person_id))
    execute function move_own_eligibility()`,

  `create table spaces (
    org_id uuid not null references organizations,
    id uuid not null,
    name text not null,
    description text,
    row_version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (org_id, id)
  )`,
  `create unique index spaces_name on spaces (org_id, name)`,
  `create index spaces_list on spaces (org_id, created_at, id)`,

  // A versioned rule with its options. rule is the dialect's own form, stages and options are the kernel's; neither ever
  // changes after the row is written, so a request names its policy instead of copying it.
  `create table policies (
    org_id uuid not null references organizations,
    id uuid not null,
    dialect text not null,
    space_id uuid,
    name text not null,
    version integer not null,
    description text,
    metadata jsonb not null,
    status text not null check (status in ('active', 'pending-deprecation', 'deprecated')),
    takes_votes_when_inactive boolean not null,
    rule jsonb not null,
    stages jsonb not null,
    options jsonb not null,
    natural_persons boolean not null,
    group_ids uuid[] not null,
    actions bytea not null,
    default_expires_in_hours integer,
    row_version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (org_id, id),
    foreign key (org_id, space_id) references spaces on delete cascade
  )`,
  `create unique index policies_version on policies (org_id, dialect, name, version)`,
  `create unique index policies_one_active on policies (org_id, dialect, name) where status = 'active'`,
  `create index policies_list on policies (org_id, dialect, status, created_at, id)`,
  `create index policies_space on policies (org_id, space_id, name)`,
  `create index policies_groups on policies using gin (group_ids)`,

  // One thing to be decided. status, stage, vote_seq and tally are the kernel's state; updated_at moves with the status,
  // not with each vote, so that an undecided vote touches no index. What is open comes before what is final in the
  // indexes of the lists: a list of both merges two ranges. This table and votes carry no checks of their closed sets and
  // no foreign key from votes: each would be paid by every vote, and the kernel's types hold them.
  `create table requests (
    org_id uuid not null references organizations,
    id uuid not null,
    dialect text not null,
    policy_id uuid not null,
    name text not null,
    description text,
    metadata jsonb not null,
    requester_id uuid not null,
    requester_person_id uuid,
    digest text not null,
    status text not null,
    is_final boolean not null default false,
    stage smallint not null default 0,
    vote_seq integer not null default 0,
    tally jsonb not null,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (org_id, id),
    foreign key (org_id, policy_id) references policies on delete cascade
  ) with (fillfactor = 80)`,
  `create unique index requests_name on requests (org_id, dialect, name)`,
  `create index requests_by_update on requests (org_id, dialect, is_final, updated_at, id)`,
  `create index requests_by_creation on requests (org_id, dialect, is_final, created_at, id)`,
  `create index requests_by_policy_update on requests (org_id, policy_id, is_final, updated_at, id)`,
  `create index requests_by_policy_creation on requests (org_id, policy_id, is_final, created_at, id)`,
  `create index requests_due on requests (expires_at, org_id, id) where not is_final`,

  // How many requests each policy has, by finality, as differences: rows are only added on the way of a request, so two
  // requests never wait for each other, and folded together behind it. Lists read their totals here.
  `create table request_counts (
    org_id uuid not null,
    policy_id uuid not null,
    is_final boolean not null,
    difference bigint not null,
    foreign key (org_id, policy_id) references policies on delete cascade
  )`,
  `create index request_counts_policy on request_counts (org_id, policy_id, is_final) include (difference)`,

  // In commit order by seq, under the request's row lock. seats names groups or the principal itself.
  `create table votes (
    org_id uuid not null,
    request_id uuid not null,
    seq integer not null,
    stage smallint not null,
    principal_id uuid not null,
    person_id uuid,
    stance text not null,
    seats uuid[] not null,
    assurance text[] not null,
    digest text not null,
    reason text,
    reason_salt text,
    cast_at timestamptz not null,
    primary key (org_id, request_id, seq)
  )`,
  `create index votes_of_principal on votes (org_id, request_id, stage, principal_id, seq desc)`,
  `create function delete_votes() returns trigger language plpgsql as $$
    begin delete from votes where org_id = old.org_id and request_id = old.id; return null; end
  $$`,
  `create trigger requests_delete_votes after delete on requests for each row execute function delete_votes()`,

  // One leaf per state change, in its transaction. content is the canonical JSON that the tree of a later release will
  // hash; private holds what the law may force us to erase, which the content only commits to by salted hash.
  `create table audit_leaves (
    org_id uuid not null,
    id bigint generated always as identity,
    tx_id xid8 not null default pg_current_xact_id(),
    kind text not null,
    subject_id uuid not null,
    content text not null,
    private jsonb,
    created_at timestamptz not null,
    primary key (org_id, id)
  )`,

  `create table quotas (
    org_id uuid not null references organizations,
    id uuid not null,
    quota_type text not null,
    scope text not null,
    target_id uuid not null,
    "limit" bigint not null check ("limit" >= 0),
    row_version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (org_id, id)
  )`,
  `create unique index quotas_target on quotas (org_id, quota_type, scope, target_id)`,

  // The answer to a POST that carried an Idempotency-Key, written with the change it made. caller is the id of a
  // principal, or of the API key that speaks for it.
  `create table idempotency_keys (
    caller text not null,
    key text not null,
    fingerprint text not null,
    answer bytea,
    created_at timestamptz not null,
    primary key (caller, key)
  )`,
  `create index idempotency_keys_age on idempotency_keys (created_at)`,

  // A sign-in under way: state and verifier of one authorization code flow, used once.
  `create table sign_in_flows (
    state_hash text primary key,
    purpose text not null check (purpose in ('login', 'step-up')),
    sealed_verifier bytea not null,
    redirect_uri text not null,
    used_at timestamptz,
    expires_at timestamptz not null,
    created_at timestamptz not null
  )`,

  // Refresh tokens, by hash. A family is one sign-in.
  `create table refresh_tokens (
    token_hash text primary key,
    org_id uuid not null,
    principal_id uuid not null,
    family_id uuid not null,
    used_at timestamptz,
    revoked_at timestamptz,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,
  `create index refresh_tokens_family on refresh_tokens (family_id)`,
  `create index refresh_tokens_expiry on refresh_tokens (expires_at)`,

  // Tokens that work once, until they are spent in the transaction that relies on them.
  `create table single_use_tokens (
    id text primary key,
    purpose text not null,
    org_id uuid not null,
    principal_id uuid not null,
    expires_at timestamptz not null
  )`,

  // Keys the server made for itself on first start; sealed under QUORATE_MASTER_KEY when that is given.
  `create table server_secrets (
    name text primary key,
    value bytea not null,
    is_sealed boolean not null,
    created_at timestamptz not null
  )`,

  // Leaves are evidence: nothing rewrites or removes them. Only the private part may be erased.
  `create function refuse_change() returns trigger language plpgsql as $$
    begin raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation'; end
  $$`,
  `create trigger audit_leaves_stay before delete on audit_leaves for each row execute function refuse_change()`,
  `create trigger audit_leaves_kept before truncate on audit_leaves execute function refuse_change()`,
  `create trigger audit_leaves_unchanged before update on audit_leaves for each row
    when (new.private is not null or (old.org_id, old.id, old.tx_id, old.kind, old.subject_id, old.content, old.created_at)
      is distinct from (new.org_id, new.id, new.tx_id, new.kind, new.subject_id, new.content, new.created_at))
    execute function refuse_change()`,
]
