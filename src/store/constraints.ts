import type { ErrorCode } from '../errors.ts'

/** Unique constraints that stand for a rule of the product: what it means to run into one. */
export const constraintCodes: Readonly<Record<string, ErrorCode>> = {
  people_email: 'USER_ALREADY_EXISTS',
  principals_human: 'USER_ALREADY_EXISTS',
  principals_agent_name: 'AGENT_NAME_ALREADY_EXISTS',
  credentials_name: 'LOCAL_USER_ALREADY_EXISTS',
  groups_name: 'GROUP_ALREADY_EXISTS',
  memberships_pkey: 'MEMBERSHIP_ENTITY_ALREADY_IN_GROUP',
  person_credentials_name: 'SECURITY_KEY_ALREADY_EXISTS',
  person_credentials_key: 'SECURITY_KEY_ALREADY_EXISTS',
  spaces_name: 'SPACE_ALREADY_EXISTS',
  policies_version: 'WORKFLOW_TEMPLATE_ALREADY_EXISTS',
  policies_one_active: 'CONCURRENCY_ERROR',
  requests_name: 'WORKFLOW_ALREADY_EXISTS',
  quotas_target: 'QUOTA_ALREADY_EXISTS',
  organizations_name_key: 'ACCOUNT_ALREADY_EXISTS',
  fortanix_apps_name: 'APP_ALREADY_EXISTS',
  fortanix_keys_name: 'KEY_ALREADY_EXISTS',
  fortanix_members_pkey: 'USER_ALREADY_EXISTS',
  organization_admins_pkey: 'ORGANIZATION_ADMIN_ALREADY_EXISTS',
}
