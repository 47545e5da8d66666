import { sql, type Kysely } from 'kysely'

/** Roles for a while, asked for and decided like everything else, and the credentials of callers that hold them (contract privx). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const statements = [
  // A person who signs in by name and password has no e-mail that they are known by.
  `alter table people alter column email drop not null`,
  `alter table principals drop constraint principals_check`,
  `alter table principals add constraint principals_check check (kind = 'agent' or person_id is not null)`,

  // A machine that signs in by a secret has no key; only agents with one are named by name.
  `drop index principals_agent_name`,
  `create unique index principals_agent_name on principals (org_id, name) where kind = 'agent' and public_key is not null`,

  // How a principal proves that it is who it says. name: what it signs in with. sealed: a secret that an administrator may read again.
  `create table credentials (
    org_id uuid not null,
    id uuid not null,
    principal_id uuid not null,
    kind text not null check (kind in ('password', 'client-secret')),
    name text not null,
    hash text,
    sealed bytea,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (org_id, id),
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,
  `create unique index credentials_name on credentials (org_id, kind, lower(name))`,
  `create index credentials_principal on credentials (org_id, principal_id, kind)`,

  // A group of another dialect is what that dialect calls a role: it may carry permissions, and stays as a name when it is deleted.
  `alter table groups add column dialect text not null default 'native'`,
  `alter table groups add column permissions text[] not null default '{}'`,
  `alter table groups add column attributes jsonb not null default '{}'`,
  `alter table groups add column deleted_at timestamptz`,
  `drop index groups_name`,
  `create unique index groups_name on groups (org_id, dialect, name) where deleted_at is null`,
  `drop index groups_list`,
  `create index groups_list on groups (org_id, dialect, created_at, id)`,

  // In force from starts_at (null: always was) until before ends_at (null: for ever). Whoever reads memberships compares with the
  // clock; the job that deletes the ended is for tidiness and for the log.
  `alter table memberships add column starts_at timestamptz`,
  `alter table memberships add column ends_at timestamptz`,
  // Whoever votes reads all of theirs: from the index alone, and of those with a bound when the next one comes.
  `drop index memberships_principal`,
  `create index memberships_principal on memberships (org_id, principal_id, group_id) include (starts_at, ends_at)`,
  `create index memberships_bounded on memberships (org_id, principal_id) include (starts_at, ends_at)
    where starts_at is not null or ends_at is not null`,
  `create trigger memberships_moved after update on memberships referencing new table as changed
    for each statement execute function move_eligibility()`,

  // A role for a while. One that has not ended stands behind the membership with the same group and principal. floating_hours: it ends
  // so long after its first use, and has no end before. request_id: what it was approved by; null for one that was given directly.
  `create table grants (
    org_id uuid not null,
    id uuid not null,
    principal_id uuid not null,
    group_id uuid not null,
    kind text not null check (kind in ('permanent', 'time-restricted', 'floating')),
    starts_at timestamptz,
    ends_at timestamptz,
    floating_hours integer,
    request_id uuid,
    created_at timestamptz not null,
    used_at timestamptz,
    ended_at timestamptz,
    ended_because text,
    primary key (org_id, id),
    foreign key (org_id, principal_id) references principals on delete cascade,
    foreign key (org_id, group_id) references groups on delete cascade
  )`,
  `create unique index grants_standing on grants (org_id, principal_id, group_id) where ended_at is null`,
  `create index grants_of_group on grants (org_id, group_id, created_at, id) where ended_at is null`,
  `create index grants_due on grants (ends_at, org_id, id) where ended_at is null and ends_at is not null`,

  // Names of requests and policies are unique in the dialect that names things by them.
  `drop index requests_name`,
  `create unique index requests_name on requests (org_id, dialect, name) where dialect = 'native'`,
  `drop index policies_version`,
  `create unique index policies_version on policies (org_id, dialect, name, version) where dialect = 'native'`,
  `drop index policies_one_active`,
  `create unique index policies_one_active on policies (org_id, dialect, name) where status = 'active' and dialect = 'native'`,

  // Whom the request is for, when that is somebody else than who asks: they may not decide on it either.
  `alter table requests add column beneficiary_id uuid`,
  `alter table requests add column beneficiary_person_id uuid`,
  // What waits for somebody, by the stages in which they hold seats. It moves with the stage, which no other vote writes.
  `create index requests_waiting on requests (org_id, policy_id, stage, created_at, id) where not is_final`,
  // Seats of principals, as group_ids are those of groups: no policy had any before.
  `alter table policies add column principal_ids uuid[] not null default '{}'`,
  `create index policies_principals on policies using gin (principal_ids)`,
  `create index requests_of_requester on requests (org_id, requester_id, dialect, created_at, id)`,

  // What an approval does to a role, in its own transaction. asked: the terms as they were asked for; kind to floating_hours: as they stand,
  // a decision may have replaced them. limits: what the terms must keep to, a snapshot. is_revocable: whoever approved may take it back.
  `create table request_grants (
    org_id uuid not null,
    request_id uuid not null,
    operation text not null check (operation in ('grant', 'remove')),
    principal_id uuid not null,
    group_id uuid not null,
    kind text check (kind in ('permanent', 'time-restricted', 'floating')),
    starts_at timestamptz,
    ends_at timestamptz,
    floating_hours integer,
    asked jsonb not null,
    limits jsonb not null,
    is_revocable boolean not null,
    grant_id uuid,
    revoked_at timestamptz,
    revoked_by uuid,
    primary key (org_id, request_id),
    foreign key (org_id, request_id) references requests on delete cascade
  )`,
  `create index request_grants_open on request_grants (org_id, principal_id, group_id)`,

  // A person whom the local user store knows: name and password are a credential, the rest is how they are shown.
  `create table privx_users (
    org_id uuid not null,
    principal_id uuid not null,
    username text not null,
    full_name text not null,
    attributes jsonb not null,
    author_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    updated_by uuid,
    primary key (org_id, principal_id),
    foreign key (org_id, principal_id) references principals on delete cascade
  )`,

  // What the dialect calls a workflow: policy_id is the version of its rule that new requests are decided by. is_by_admin: who wrote
  // it last may give every role; roles that make an administrator are asked for by no other.
  `create table privx_workflows (
    org_id uuid not null,
    id uuid not null,
    policy_id uuid not null,
    version integer not null,
    name text not null,
    comment text not null,
    operation text not null check (operation in ('GRANT', 'REMOVE', 'BOTH')),
    grant_kinds text[] not null,
    max_floating_hours integer not null,
    max_restricted_days integer not null,
    target_groups uuid[] not null,
    requester_groups uuid[] not null,
    requires_justification boolean not null,
    max_active_requests integer not null,
    can_bypass_revoke boolean not null,
    is_by_admin boolean not null,
    steps jsonb not null,
    author_id uuid not null,
    created_at timestamptz not null,
    updated_by uuid not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    primary key (org_id, id),
    foreign key (org_id, policy_id) references policies
  )`,
  `create index privx_workflows_targets on privx_workflows using gin (target_groups)`,
  // A name may be longer than an entry of an index.
  `create index privx_workflows_list on privx_workflows (org_id, left(name, 200) collate "C", id) where deleted_at is null`,

  // What the dialect shows of a request beside the engine's record: the steps as they were when it was made.
  `create table privx_requests (
    org_id uuid not null,
    request_id uuid not null,
    workflow_id uuid not null,
    steps jsonb not null,
    comment text not null,
    primary key (org_id, request_id),
    foreign key (org_id, request_id) references requests on delete cascade
  )`,

  `create index requests_of_privx on requests (org_id, created_at, id) where dialect = 'privx'`,

  // One row of an organization, under its own id.
  `create table privx_settings (
    org_id uuid not null references organizations,
    id uuid not null check (id = org_id),
    settings jsonb not null,
    sealed_password bytea,
    updated_by uuid not null,
    updated_at timestamptz not null,
    primary key (org_id, id)
  )`,

  // A sign-in with an authorization code under way: first its login session, then its code, each used once.
  `create table oauth_flows (
    session_hash text primary key,
    org_id uuid not null references organizations,
    client_id text not null,
    redirect_uri text not null,
    state text not null,
    code_challenge text not null,
    principal_id uuid,
    code_hash text unique,
    session_used_at timestamptz,
    code_used_at timestamptz,
    expires_at timestamptz not null
  )`,
  `create index oauth_flows_age on oauth_flows (expires_at)`,
  `create index oauth_flows_principal on oauth_flows (org_id, principal_id) where principal_id is not null`,
]
