/**
 * Every table that is compared with what the leaves tell of it: the columns that name a row, and those that are compared.
 * docs/monitor.md lists the same.
 */
export const watchedTables = {
  organizations: { key: ['id'], columns: ['name', 'created_at'] },
  people: { key: ['id'], columns: ['email', 'created_at'] },
  principals: {
    key: ['id'],
    columns: [
      'kind',
      'person_id',
      'name',
      'email',
      'public_key',
      'disabled_at',
      'dpop_required',
      'revoked_by_admin',
      'created_at',
    ],
  },
  former_owners: { key: ['person_id', 'principal_id'], columns: [] },
  organization_admins: { key: ['principal_id'], columns: ['id', 'email', 'created_at'] },
  groups: { key: ['id'], columns: ['name', 'description', 'member_count', 'created_at', 'updated_at'] },
  memberships: { key: ['group_id', 'principal_id'], columns: ['added_at'] },
  role_bindings: { key: ['principal_id', 'role_name', 'scope_type', 'scope_id'], columns: ['created_at'] },
  spaces: { key: ['id'], columns: ['name', 'description', 'created_at', 'updated_at'] },
  policies: {
    key: ['id'],
    columns: [
      'dialect',
      'space_id',
      'name',
      'version',
      'description',
      'status',
      'takes_votes_when_inactive',
      'stages',
      'options',
      'natural_persons',
      'group_ids',
      'default_expires_in_hours',
      'created_at',
      'updated_at',
    ],
  },
  quotas: { key: ['id'], columns: ['quota_type', 'scope', 'target_id', 'limit', 'created_at', 'updated_at'] },
  api_keys: {
    key: ['id'],
    columns: [
      'principal_id',
      'name',
      'scopes',
      'secret_hash',
      'previous_hash',
      'previous_expires_at',
      'expires_at',
      'revoked_at',
      'created_by',
      'created_at',
    ],
  },
  requests: {
    key: ['id'],
    columns: [
      'dialect',
      'policy_id',
      'name',
      'requester_id',
      'requester_person_id',
      'digest',
      'status',
      'is_final',
      'stage',
      'vote_seq',
      'tally',
      'expires_at',
      'created_at',
      'updated_at',
    ],
  },
  votes: {
    key: ['request_id', 'seq'],
    columns: ['stage', 'principal_id', 'person_id', 'stance', 'seats', 'assurance', 'digest', 'signature', 'cast_at'],
  },
} as const

export type TableName = keyof typeof watchedTables
