import type { ShownWorkflow } from '../../../access/read-workflows.ts'
import type { WorkflowContent, WrittenStep } from '../../../access/workflow.ts'
import type { GrantKind } from '../../../kernel/grant-terms.ts'
import type { RequestableRow } from '../../../store/privx-workflows.ts'
import { grantWords, kindOf } from './grant-words.ts'
import { neededChoice, neededHandle, neededId, roleHandle } from './handles.ts'
import { readBody, type Members } from '../../shared/members.ts'
import { renderTime } from '../../shared/times.ts'

const mostSteps = 3

/** A workflow as it is created or replaced: what the server owns, and what belongs to requests, is not looked at. */
export function parseWorkflow(body: unknown): WorkflowContent {
  return readBody(body, (members) => ({
    name: members.neededText('name', { min: 4, max: 4096 }),
    comment: members.text('comment') ?? '',
    operation: members.choice('action', ['GRANT', 'REMOVE', 'BOTH']) ?? 'GRANT',
    grantKinds: parseKinds(members),
    maxFloatingHours: members.integer('max_floating_duration') ?? 0,
    maxRestrictedDays: members.integer('max_time_restricted_duration') ?? 0,
    targetRoles: parseTargets(members),
    requesterRoles: parseRequesters(members),
    requiresJustification: members.flag('requires_justification'),
    // A client that has no such member set sends 0.
    maxActiveRequests: Math.max(1, members.integer('max_active_requests') ?? 1),
    canBypassRevoke: members.flag('can_bypass_revoke_workflow'),
    steps: parseSteps(members),
  }))
}

function parseKinds(members: Members): GrantKind[] {
  const kinds = members.texts('grant_types').map((word, index) => {
    const kind = kindOf(word)
    if (kind === null) {
      members.complain(`grant_types[${index}]`, `must be one of ${Object.values(grantWords).join(', ')}`)
    }
    return kind ?? 'permanent'
  })
  return kinds.length === 0 ? ['permanent'] : kinds
}

function parseTargets(members: Members): string[] {
  if (isEmptyList(members, 'target_roles')) members.complain('target_roles', 'must name a role')
  return members.list('target_roles', (role) => neededId(role, 'id'))
}

/** The vendor's pages spell the member another way than its clients do. */
function parseRequesters(members: Members): string[] {
  const name = isEmptyList(members, 'requester_roles') ? 'requestor_roles' : 'requester_roles'
  return members.list(name, (role) => neededId(role, 'id'))
}

function parseSteps(members: Members): WrittenStep[] {
  const steps = members.list('steps', (step): WrittenStep => {
    if (isEmptyList(step, 'approvers')) step.complain('approvers', 'must name an approver')
    return {
      id: step.id('id'),
      name: step.text('name') ?? '',
      match: neededChoice(step, 'match', ['ANY', 'ALL']),
      approvers: step.list('approvers', (approver) => ({
        id: approver.id('id'),
        roleId: neededHandle(approver, 'role'),
      })),
    }
  })
  if (isEmptyList(members, 'steps') || steps.length > mostSteps) {
    members.complain('steps', `must hold 1 to ${mostSteps} steps`)
  }
  return steps
}

/** Whether a list is missing or has nothing in it; what is no list at all is told by whoever reads it. */
function isEmptyList(members: Members, name: string): boolean {
  const value = members.raw(name)
  return value === null || (Array.isArray(value) && value.length === 0)
}

export function renderWorkflow({ row, roles }: ShownWorkflow): object {
  return {
    id: row.id,
    author: row.author_id,
    created: renderTime(row.created_at),
    updated: renderTime(row.updated_at),
    updated_by: row.updated_by,
    name: row.name,
    comment: row.comment,
    workflow: row.id,
    action: row.operation,
    grant_types: row.grant_kinds.map((kind) => grantWords[kind]),
    max_floating_duration: row.max_floating_hours,
    max_time_restricted_duration: row.max_restricted_days,
    target_roles: row.target_groups.map((id) => roleHandle(roles, id)),
    requester_roles: row.requester_groups.map((id) => roleHandle(roles, id)),
    requires_justification: row.requires_justification,
    max_active_requests: row.max_active_requests,
    can_bypass_revoke_workflow: row.can_bypass_revoke,
    steps: row.steps.map(({ id, name, match, approvers }) => ({
      id,
      name,
      match,
      approvers: approvers.map((approver) => ({ id: approver.id, role: roleHandle(roles, approver.groupId) })),
    })),
  }
}

export function renderRequestable(row: RequestableRow): object {
  return {
    id: row.group_id,
    name: row.group_name,
    action: row.operation,
    grant_types: row.grant_kinds.map((kind) => grantWords[kind]),
    max_floating_duration: row.max_floating_hours,
    max_time_restricted_duration: row.max_restricted_days,
  }
}
