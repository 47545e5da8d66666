import type { ColumnType, Generated, Insertable, JSONColumnType, Selectable } from 'kysely'
import type { Stance, Status, Tally } from '../kernel/request.ts'
import type { Assurance, PolicyOptions, Stage } from '../kernel/rule.ts'
import type { AccessTables } from './schema-access.ts'
import type { CustodyTables } from './schema-custody.ts'
import type { LogTables } from './schema-log.ts'
import type { SignInTables } from './schema-sign-in.ts'

/** The tables of `migrations/`, as Kysely sees them. JSON columns are written as text and read as values, on both engines. */
export interface Database extends AccessTables, CustodyTables, LogTables, SignInTables {
  organizations: OrganizationTable
  people: PersonTable
  principals: PrincipalTable
  former_owners: FormerOwnerTable
  organization_admins: OrganizationAdminTable
  groups: GroupTable
  memberships: MembershipTable
  role_bindings: RoleBindingTable
  spaces: SpaceTable
  policies: PolicyTable
  requests: RequestTable
  request_counts: RequestCountTable
  votes: VoteTable
  audit_leaves: AuditLeafTable
  quotas: QuotaTable
  idempotency_keys: IdempotencyKeyTable
  server_secrets: ServerSecretTable
  webhook_keys: WebhookKeyTable
  call_counters: CallCounterTable
  deliveries: DeliveryTable
}

/** A 64-bit counter; text on the way out, since JavaScript numbers end at 2^53. */
export type RowVersion = ColumnType<string, string | number | undefined, string | number>
export type Json<T extends object | null> = JSONColumnType<T, string, string>

interface OrganizationTable {
  id: string
  name: string
  created_at: Date
}

interface PersonTable {
  id: string
  /** Null for one who signs in by name and password. */
  email: string | null
  created_at: Date
}

export type PrincipalKind = 'human' | 'agent'

interface PrincipalTable {
  org_id: string
  id: string
  kind: PrincipalKind
  person_id: string | null
  name: string
  email: string | null
  public_key: string | null
  disabled_at: Date | null
  row_version: RowVersion
  eligibility_version: Generated<number>
  ended_sessions: Generated<string[]>
  dpop_required: Generated<boolean>
  revoked_by_admin: Generated<boolean>
  created_at: Date
}

interface FormerOwnerTable {
  org_id: string
  person_id: string
  principal_id: string
}

interface OrganizationAdminTable {
  org_id: string
  id: string
  principal_id: string
  email: string
  created_at: Date
}

interface GroupTable {
  org_id: string
  id: string
  name: string
  description: string | null
  member_count: Generated<number>
  row_version: RowVersion
  created_at: Date
  updated_at: Date
  dialect: Generated<Dialect>
  permissions: Generated<string[]>
  attributes: JSONColumnType<Record<string, unknown>, string | undefined, string>
  deleted_at: Generated<Date | null>
}

/** In force from `starts_at` until before `ends_at`; null: without that bound. */
interface MembershipTable {
  org_id: string
  group_id: string
  principal_id: string
  added_at: Date
  starts_at: Generated<Date | null>
  ends_at: Generated<Date | null>
}

export type ScopeType = 'org' | 'space' | 'group' | 'workflow_template'

interface RoleBindingTable {
  org_id: string
  principal_id: string
  role_name: string
  scope_type: ScopeType
  scope_id: string
  created_at: Date
}

interface SpaceTable {
  org_id: string
  id: string
  name: string
  description: string | null
  row_version: RowVersion
  created_at: Date
  updated_at: Date
}

export type Dialect = 'native' | 'privx' | 'fortanix' | 'govern'
export type PolicyStatus = 'active' | 'pending-deprecation' | 'deprecated'

interface PolicyTable {
  org_id: string
  id: string
  dialect: Dialect
  space_id: string | null
  name: string
  version: number
  description: string | null
  metadata: Json<Record<string, unknown>>
  status: PolicyStatus
  takes_votes_when_inactive: boolean
  rule: Json<object>
  stages: Json<Stage[]>
  options: Json<PolicyOptions>
  natural_persons: boolean
  group_ids: string[]
  principal_ids: Generated<string[]>
  actions: Uint8Array
  default_expires_in_hours: number | null
  row_version: RowVersion
  created_at: Date
  updated_at: Date
}

interface RequestTable {
  org_id: string
  id: string
  dialect: Dialect
  policy_id: string
  name: string
  description: string | null
  metadata: Json<Record<string, unknown>>
  requester_id: string
  requester_person_id: string | null
  digest: string
  status: Status
  is_final: Generated<boolean>
  stage: Generated<number>
  vote_seq: Generated<number>
  tally: Json<Tally>
  expires_at: Date
  created_at: Date
  updated_at: Date
  beneficiary_id: Generated<string | null>
  beneficiary_person_id: Generated<string | null>
}

interface RequestCountTable {
  org_id: string
  policy_id: string
  is_final: boolean
  difference: RowVersion
}

interface VoteTable {
  org_id: string
  request_id: string
  seq: number
  stage: number
  principal_id: string
  person_id: string | null
  stance: Stance
  seats: string[]
  assurance: Assurance[]
  digest: string
  reason: string | null
  reason_salt: string | null
  /** Compact JWS; null for a vote that was not signed. */
  signature: string | null
  /** What proved who voted, as a security key signed it; null for a vote without. */
  evidence: JSONColumnType<object, string | null | undefined, never> | null
  cast_at: Date
}

interface AuditLeafTable {
  org_id: string
  id: Generated<string>
  tx_id: Generated<string>
  kind: string
  subject_id: string
  content: string
  /** Null where somebody else than the server wrote the row, or a release that knew of no marks. */
  mark: Uint8Array | null
  private: JSONColumnType<Record<string, unknown>, string | null, null> | null
  created_at: Date
}

interface QuotaTable {
  org_id: string
  id: string
  quota_type: string
  scope: string
  target_id: string
  limit: RowVersion
  row_version: RowVersion
  created_at: Date
  updated_at: Date
}

interface IdempotencyKeyTable {
  caller: string
  key: string
  fingerprint: string
  answer: Uint8Array | null
  created_at: Date
}

interface ServerSecretTable {
  name: string
  value: Uint8Array
  is_sealed: boolean
  created_at: Date
}

interface WebhookKeyTable {
  org_id: string
  id: string
  secret: Uint8Array
  created_at: Date
  expires_at: Date | null
}

interface CallCounterTable {
  caller: string
  window_start: Date
  calls: number
}

export type DeliveryStatus = 'pending' | 'completed' | 'error'

interface DeliveryTable {
  org_id: string
  id: string
  request_id: string
  request_name: string
  from_status: Status
  to_status: Status
  occurred_at: Date
  kind: 'EMAIL' | 'WEBHOOK' | 'SLACK'
  action: Uint8Array
  status: DeliveryStatus
  attempts: Generated<number>
  reason: string | null
  response: JSONColumnType<
    { status: number; body: string | null; bodyState: string },
    string | null,
    string | null
  > | null
  locked_by: string | null
  locked_until: Date | null
  created_at: Date
  updated_at: Date
}

export type Row<T extends keyof Database> = Selectable<Database[T]>
export type NewRow<T extends keyof Database> = Insertable<Database[T]>
