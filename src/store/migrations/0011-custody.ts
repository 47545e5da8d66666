import { sql, type Kysely } from 'kysely'

/** Keys behind a quorum: accounts and their members, security keys, keys, and operations that wait for approval (contract fortanix). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  // What a person proves themselves with, in whichever organization: their password and their security keys. public_key: COSE.
  // counter: what the key has counted to. details: of a security key, how its credential was made.
  `create table person_credentials (
    person_id uuid not null references people on delete cascade,
    id uuid not null,
    kind text not null check (kind in ('password', 'security-key')),
    name text not null,
    hash text,
    credential_id bytea,
    public_key bytea,
    counter bigint not null default 0,
    details jsonb not null default '{}',
    created_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (person_id, id),
    check ((kind = 'password') = (hash is not null)),
    check ((kind = 'security-key') = (public_key is not null and credential_id is not null))
  )`,
  `create unique index person_credentials_password on person_credentials (person_id) where kind = 'password'`,
  `create unique index person_credentials_name on person_credentials (person_id, name) where kind = 'security-key'`,
  `create unique index person_credentials_key on person_credentials (credential_id) where kind = 'security-key'`,

  // What a security key is asked to sign, once. subject: the request that is voted on, or the session that is signed in or registers.
  // One that is made anew voids the one before. nonce: what the challenge was made from, beside what it commits to.
  `create table key_challenges (
    person_id uuid not null references people on delete cascade,
    purpose text not null check (purpose in ('sign-in', 'register', 'vote')),
    subject text not null,
    protocol text not null check (protocol in ('fido2', 'u2f')),
    org_id uuid,
    challenge bytea not null,
    nonce bytea not null,
    expires_at timestamptz not null,
    primary key (person_id, purpose, subject)
  )`,
  `create index key_challenges_age on key_challenges (expires_at)`,

  // What a vote was proved with, for whoever checks it later: the assertion, its key, and what its challenge was made from.
  `alter table votes add column evidence jsonb check (jsonb_typeof(evidence) <> 'null')`,

  // A person by the name that they sign up with, beside people.email.
  `create table fortanix_users (
    person_id uuid primary key references people on delete cascade,
    first_name text,
    last_name text,
    verified_at timestamptz,
    created_at timestamptz not null
  )`,

  // What a person who lost their security keys signs in with, each once. Random: SHA-256 of each.
  `create table fortanix_recovery_codes (
    person_id uuid not null references people on delete cascade,
    code_hash text not null,
    created_at timestamptz not null,
    primary key (person_id, code_hash)
  )`,

  // An account is an organization. policy and protects: what the account's own changes need.
  `create table fortanix_accounts (
    org_id uuid primary key references organizations,
    description text,
    creator_id uuid,
    policy jsonb check (jsonb_typeof(policy) <> 'null'),
    protects text[] not null default '{}',
    request_seconds integer not null default 2592000 check (request_seconds >= 1),
    retains_expired boolean not null default false,
    logs_expired boolean not null default false,
    checks_sensitive boolean not null default true,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,

  // A person in an account; the principal is made when the invitation is accepted.
  `create table fortanix_members (
    org_id uuid not null references organizations,
    person_id uuid not null references people,
    principal_id uuid,
    role text not null check (role in ('administrator', 'member', 'auditor')),
    is_enabled boolean not null,
    state text not null check (state in ('invited', 'joined')),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (org_id, person_id),
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,
  `create unique index fortanix_members_principal on fortanix_members (org_id, principal_id) where principal_id is not null`,
  `create index fortanix_members_person on fortanix_members (person_id)`,

  // Beside the engine's group, whose members are people. policy: what operations on it and its keys need. protects: null for all
  // manage operations.
  `create table fortanix_groups (
    org_id uuid not null,
    group_id uuid not null,
    creator jsonb not null,
    policy jsonb check (jsonb_typeof(policy) <> 'null'),
    protects text[],
    protects_manage boolean not null default true,
    protects_crypto boolean not null default true,
    primary key (org_id, group_id),
    foreign key (org_id, group_id) references groups on delete cascade
  )`,

  // An application is an agent with a secret.
  `create table fortanix_apps (
    org_id uuid not null,
    principal_id uuid not null,
    name text not null,
    description text,
    app_type text not null,
    role text not null,
    default_group uuid,
    is_enabled boolean not null,
    creator jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (org_id, principal_id),
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,
  `create unique index fortanix_apps_name on fortanix_apps (org_id, name)`,
  `create table fortanix_app_groups (
    org_id uuid not null,
    principal_id uuid not null,
    group_id uuid not null,
    permissions text[] not null,
    primary key (org_id, principal_id, group_id),
    foreign key (org_id, principal_id) references fortanix_apps on delete cascade,
    foreign key (org_id, group_id) references groups on delete cascade
  )`,
  `create index fortanix_app_groups_group on fortanix_app_groups (org_id, group_id)`,

  // A bearer's session. person_id or an app's principal; org_id: the account that was selected. is_pending: a second factor is owed.
  `create table fortanix_sessions (
    token_hash text primary key,
    id uuid not null unique,
    person_id uuid references people on delete cascade,
    org_id uuid,
    principal_id uuid,
    is_pending boolean not null default false,
    devices_until timestamptz,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz
  )`,
  `create index fortanix_sessions_person on fortanix_sessions (person_id) where ended_at is null`,
  `create index fortanix_sessions_age on fortanix_sessions (expires_at)`,

  // material: sealed; null once it is gone. used: how often it signed, encrypted, decrypted, made a code or was exported.
  `create table fortanix_keys (
    org_id uuid not null,
    id uuid not null,
    group_id uuid not null,
    name text not null,
    description text,
    kind text not null check (kind in ('AES', 'HMAC', 'RSA', 'EC')),
    size_bits integer,
    curve text,
    operations text[] not null,
    is_enabled boolean not null,
    state text not null,
    material bytea,
    public_key bytea,
    origin text not null,
    creator jsonb not null,
    used bigint not null default 0,
    last_used_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (org_id, id),
    foreign key (org_id, group_id) references groups
  )`,
  `create unique index fortanix_keys_name on fortanix_keys (org_id, name)`,
  `create index fortanix_keys_group on fortanix_keys (org_id, group_id, id)`,

  // What an approval runs, once. execution: 'waiting' for its quorum or past its end, 'due' from the deciding transaction on, then what
  // came of it. requester_id, subject_ids and reviewer_ids are those of the wire: of people and apps. body and result: sealed.
  `create table fortanix_requests (
    org_id uuid not null,
    request_id uuid not null,
    requester_kind text not null check (requester_kind in ('person', 'app')),
    requester_id uuid not null,
    method text not null,
    operation text not null,
    body bytea,
    subjects jsonb not null,
    subject_ids uuid[] not null,
    reviewers jsonb not null,
    reviewer_ids uuid[] not null,
    execution text not null default 'waiting' check (execution in ('waiting', 'due', 'succeeded', 'failed', 'denied')),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    is_sensitive boolean not null,
    result_status integer,
    result bytea,
    executed_at timestamptz,
    is_result_viewed boolean not null default false,
    primary key (org_id, request_id),
    foreign key (org_id, request_id) references requests on delete cascade,
    check ((execution in ('succeeded', 'failed')) = (result_status is not null and executed_at is not null))
  )`,
  `create index fortanix_requests_newest on fortanix_requests (org_id, created_at desc, request_id desc)`,
  `create index fortanix_requests_of on fortanix_requests (org_id, requester_id, created_at desc, request_id desc)`,
  `create index fortanix_requests_state on fortanix_requests (org_id, execution, created_at desc, request_id desc)`,
  `create index fortanix_requests_reviewers on fortanix_requests using gin (reviewer_ids)`,
  `create index fortanix_requests_subjects on fortanix_requests using gin (subject_ids)`,
  // A quorum is kept once, however many requests are decided by it: its name tells what it says.
  `create unique index policies_of_fortanix on policies (org_id, name) where dialect = 'fortanix'`,

  // What an approver sent along: a part of a key, for one. Sealed.
  `create table fortanix_approvals (
    org_id uuid not null,
    request_id uuid not null,
    principal_id uuid not null,
    body bytea not null,
    primary key (org_id, request_id, principal_id),
    foreign key (org_id, request_id) references requests on delete cascade
  )`,
]
