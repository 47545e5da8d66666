import type { QuotaScope, QuotaType } from '../store/quotas.ts'

export const quotaTypes: readonly QuotaType[] = [
  'MAX_GROUPS',
  'MAX_SPACES',
  'MAX_WORKFLOW_TEMPLATES_PER_SPACE',
  'MAX_CONCURRENT_WORKFLOWS',
  'MAX_ENTITIES_PER_GROUP',
  'MAX_ROLES_PER_USER',
  'MAX_VOTES_PER_WORKFLOW',
]

/** Which quotas can be set where (contract §2.11). */
export const quotaTypesAt: Readonly<Record<QuotaScope, readonly QuotaType[]>> = {
  Org: quotaTypes,
  Space: ['MAX_WORKFLOW_TEMPLATES_PER_SPACE', 'MAX_CONCURRENT_WORKFLOWS'],
  WorkflowTemplate: ['MAX_CONCURRENT_WORKFLOWS'],
  Workflow: ['MAX_VOTES_PER_WORKFLOW'],
  Group: ['MAX_ENTITIES_PER_GROUP'],
  User: ['MAX_ROLES_PER_USER'],
}

export const quotaScopes = Object.keys(quotaTypesAt) as readonly QuotaScope[]
