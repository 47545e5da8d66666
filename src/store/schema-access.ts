import type { Json } from './schema.ts'

/** The tables of `0010-access`. */
export interface AccessTables {
  credentials: CredentialTable
  grants: GrantTable
  request_grants: RequestGrantTable
  privx_users: PrivxUserTable
  privx_workflows: PrivxWorkflowTable
  privx_requests: PrivxRequestTable
  privx_settings: PrivxSettingsTable
  oauth_flows: OauthFlowTable
}

export type CredentialKind = 'password' | 'client-secret'

interface CredentialTable {
  org_id: string
  id: string
  principal_id: string
  kind: CredentialKind
  name: string
  hash: string | null
  sealed: Uint8Array | null
  created_at: Date
  changed_at: Date
}

export type GrantKind = 'permanent' | 'time-restricted' | 'floating'

interface GrantTable {
  org_id: string
  id: string
  principal_id: string
  group_id: string
  kind: GrantKind
  starts_at: Date | null
  ends_at: Date | null
  floating_hours: number | null
  request_id: string | null
  created_at: Date
  used_at: Date | null
  ended_at: Date | null
  ended_because: string | null
}

interface RequestGrantTable {
  org_id: string
  request_id: string
  operation: 'grant' | 'remove'
  principal_id: string
  group_id: string
  kind: GrantKind | null
  starts_at: Date | null
  ends_at: Date | null
  floating_hours: number | null
  asked: Json<object>
  limits: Json<object>
  is_revocable: boolean
  grant_id: string | null
  revoked_at: Date | null
  revoked_by: string | null
}

interface PrivxUserTable {
  org_id: string
  principal_id: string
  username: string
  full_name: string
  attributes: Json<Record<string, unknown>>
  author_id: string | null
  created_at: Date
  updated_at: Date
  updated_by: string | null
}

/** A step of a workflow, and of every request that is decided by it: each place is for one holder of the group. */
export interface WorkflowStep {
  readonly id: string
  readonly name: string
  readonly match: 'ANY' | 'ALL'
  readonly approvers: readonly { readonly id: string; readonly groupId: string }[]
}

interface PrivxWorkflowTable {
  org_id: string
  id: string
  policy_id: string
  version: number
  name: string
  comment: string
  operation: 'GRANT' | 'REMOVE' | 'BOTH'
  grant_kinds: GrantKind[]
  max_floating_hours: number
  max_restricted_days: number
  target_groups: string[]
  requester_groups: string[]
  requires_justification: boolean
  max_active_requests: number
  can_bypass_revoke: boolean
  is_by_admin: boolean
  steps: Json<WorkflowStep[]>
  author_id: string
  created_at: Date
  updated_by: string
  updated_at: Date
  deleted_at: Date | null
}

interface PrivxRequestTable {
  org_id: string
  request_id: string
  workflow_id: string
  steps: Json<WorkflowStep[]>
  comment: string
}

interface PrivxSettingsTable {
  org_id: string
  id: string
  settings: Json<object>
  sealed_password: Uint8Array | null
  updated_by: string
  updated_at: Date
}

interface OauthFlowTable {
  session_hash: string
  org_id: string
  client_id: string
  redirect_uri: string
  state: string
  code_challenge: string
  principal_id: string | null
  code_hash: string | null
  session_used_at: Date | null
  code_used_at: Date | null
  expires_at: Date
}
