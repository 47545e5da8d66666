import type { RoleQuestion } from '../../../access/ask-for-role.ts'
import type { Decision } from '../../../access/decide-request.ts'
import type { ShownRequest, ShownSlot } from '../../../access/shown-request.ts'
import type { GrantTerms } from '../../../kernel/grant-terms.ts'
import type { Status } from '../../../kernel/request.ts'
import type { Handles } from '../../../store/privx-handles.ts'
import { grantMembers, parseTerms, renderTerms } from './grant-words.ts'
import { neededChoice, neededHandle, roleHandle, userHandle } from './handles.ts'
import { readBody } from '../../shared/members.ts'
import { renderTime } from '../../shared/times.ts'

/** A request as it is made: empty texts in what the server owns are what a stock client sends, and are not looked at. */
export function parseQuestion(body: unknown): RoleQuestion {
  return readBody(body, (members) => {
    const operation = members.choice('action', ['GRANT', 'REMOVE']) ?? 'GRANT'
    return {
      roleId: neededHandle(members, 'requested_role'),
      targetId: members.object('target_user', (user) => user.id('id')),
      workflowId: members.id('workflow'),
      operation,
      justification: members.text('request_justification') ?? '',
      comment: members.text('comment') ?? '',
      terms: operation === 'REMOVE' ? {} : { ...parseTerms(members), ...parseTerms(members, 'requested_') },
    }
  })
}

export function parseDecision(body: unknown): Decision {
  return readBody(body, (members) => {
    const decision = neededChoice(members, 'decision', ['APPROVED', 'DENIED'])
    if (!members.has('step')) members.complain('step', 'is needed')
    const terms = parseTerms(members)
    const overrides = Object.keys(terms) as (keyof GrantTerms)[]
    if (decision === 'DENIED') {
      for (const member of overrides) members.complain(grantMembers[member], 'is for an approval')
    }
    return {
      step: members.integer('step') ?? 0,
      isApproval: decision === 'APPROVED',
      comment: members.text('comment') ?? '',
      terms: overrides.length === 0 ? null : terms,
    }
  })
}

// No request ends in another way, unless somebody cancels it by another API: then nothing is granted either.
const statusWords: Readonly<Record<Status, string>> = {
  open: 'WAITING',
  approved: 'APPROVED',
  rejected: 'DENIED',
  canceled: 'DENIED',
  expired: 'DENIED',
}

export function renderRequest(request: ShownRequest): object {
  const { row, status, terms, asked, roles, people } = request
  return {
    id: row.id,
    author: row.requester_id,
    created: renderTime(row.created_at),
    updated: renderTime(row.touched_at),
    updated_by: row.touched_by,
    name: row.name,
    comment: row.comment,
    workflow: row.workflow_id,
    action: row.operation === 'grant' ? 'GRANT' : 'REMOVE',
    status: statusWords[status],
    requester: userHandle(people, row.requester_id),
    requested_role: roleHandle(roles, row.group_id),
    target_roles: [roleHandle(roles, row.group_id)],
    target_user: userHandle(people, row.target_id),
    request_justification: row.description ?? '',
    ...(terms !== null && renderTerms(terms)),
    ...(asked !== null && renderAsked(asked)),
    approver_can_revoke: row.is_revocable,
    target_role_revoked: row.revoked_at !== null,
    target_role_revoked_by: row.revoked_by === null ? null : userHandle(people, row.revoked_by),
    target_role_revocation_time: row.revoked_at === null ? null : renderTime(row.revoked_at),
    steps: request.steps.map(({ id, name, match, slots }) => ({
      id,
      name,
      match,
      approvers: slots.map((slot) => renderSlot(slot, roles, people)),
    })),
  }
}

function renderAsked(terms: GrantTerms): object {
  const members = Object.entries(renderTerms(terms))
  return Object.fromEntries(members.map(([name, value]) => [`requested_${name}`, value]))
}

function renderSlot({ id, roleId, decision }: ShownSlot, roles: Handles, people: Handles): object {
  const role = roleHandle(roles, roleId)
  if (decision === null) return { id, role, decision: 'WAITING', user: null, decision_time: null, comment: '' }
  const { isApproval, userId, at, comment } = decision
  return {
    id,
    role,
    decision: isApproval ? 'APPROVED' : 'DENIED',
    user: userHandle(people, userId),
    decision_time: renderTime(at),
    comment,
  }
}
