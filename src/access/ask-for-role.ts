import { openRequest, noDeadline, type RequestedGrant } from '../approvals/open-request.ts'
import type { Ctx } from '../context.ts'
import { AppError, invalidMember } from '../errors.ts'
import { leafActorOf } from '../identity/actor.ts'
import { checkTerms, defaultKind, type GrantLimits, type GrantTerms } from '../kernel/grant-terms.ts'
import { findStandingGrant } from '../store/grants.ts'
import type { Tx } from '../store/open.ts'
import { findPolicyForShare } from '../store/policies.ts'
import { findEnabledPrincipal, findRoleHandles } from '../store/privx-handles.ts'
import { countOpenFor, insertAccessRequest, lockAsking } from '../store/privx-requests.ts'
import {
  findOldestWorkflowForShare,
  findWorkflowForShare,
  makesAdmin,
  type WorkflowRow,
} from '../store/privx-workflows.ts'
import { transact } from '../store/unit-of-work.ts'
import { heldRoles, type Member } from './member.ts'

export interface RoleQuestion {
  readonly roleId: string
  /** Whom the role is for; null for whoever asks. */
  readonly targetId: string | null
  /** Null for the oldest workflow that there is for it. */
  readonly workflowId: string | null
  readonly operation: 'GRANT' | 'REMOVE'
  readonly justification: string
  readonly comment: string
  /** Without a kind it is what the workflow offers. Of no meaning for a removal. */
  readonly terms: Partial<GrantTerms>
}

/**
 * Asks for a role for oneself or somebody else, or that it be taken away: who decides on it is settled here and does not
 * change any more (contract privx §4.1, whose order of refusals this is).
 * @throws AppError INVALID_MEMBER, REQUESTOR_NOT_AUTHORIZED, ROLE_HELD_ALREADY, ROLE_NOT_HELD, ACTIVE_REQUESTS_EXCEEDED
 */
export async function askForRole(ctx: Ctx, member: Member, question: RoleQuestion): Promise<{ id: string }> {
  const { orgId } = member
  return await transact(ctx, member.once, async (tx) => {
    const { roleId, operation } = question
    const now = ctx.clock.now()
    await requireRole(tx, orgId, roleId)
    const target = await requireTarget(tx, member, question)
    if (target.principal !== member.principalId && !member.access.may('workflows-requests-on-behalf')) {
      throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'This needs the permission to ask for others.')
    }
    const workflow = await pickWorkflow(tx, member, question)
    if (workflow.requires_justification && question.justification.trim() === '') {
      throw new AppError('INVALID_MEMBER', 'This workflow needs a justification.', { field: 'request_justification' })
    }
    const limits = limitsOf(workflow)
    const terms = operation === 'REMOVE' ? null : termsOf(question.terms, limits, now)
    // Whoever asks for the same waits here, so that each counts the other.
    await lockAsking(tx, target.principal, roleId)
    await requireSense(tx, orgId, { targetId: target.principal, roleId, operation, now })
    if ((await countOpenFor(tx, orgId, target.principal, roleId)) >= workflow.max_active_requests) {
      throw new AppError('ACTIVE_REQUESTS_EXCEEDED')
    }
    const policy = await findPolicyForShare(tx, orgId, workflow.policy_id)
    if (policy?.status !== 'active') throw new Error(`workflow ${workflow.id} is not decided by an active policy`)
    const grant: RequestedGrant = {
      operation: operation === 'GRANT' ? 'grant' : 'remove',
      principalId: target.principal,
      groupId: roleId,
      terms,
      limits,
      isRevocable: operation === 'GRANT' && workflow.can_bypass_revoke,
    }
    const id = await openRequest(tx, ctx, {
      policy,
      actor: leafActorOf(member),
      requester: { principal: member.principalId, person: member.personId },
      beneficiary: target,
      name: workflow.name,
      description: question.justification === '' ? null : question.justification,
      metadata: { workflow: workflow.id, ...(question.comment !== '' && { comment: question.comment }) },
      expiresAt: noDeadline,
      grant,
    })
    await insertAccessRequest(tx, {
      org_id: orgId,
      request_id: id,
      workflow_id: workflow.id,
      steps: JSON.stringify(workflow.steps),
      comment: question.comment,
    })
    return { id }
  })
}

async function requireRole(tx: Tx, orgId: string, roleId: string): Promise<void> {
  const role = (await findRoleHandles(tx, orgId, [roleId])).get(roleId)
  if (role?.isDeleted !== false) throw invalidMember('requested_role', 'names no role')
}

interface Party {
  readonly principal: string
  readonly person: string | null
}

async function requireTarget(tx: Tx, member: Member, { targetId }: RoleQuestion): Promise<Party> {
  if (targetId === null || targetId === member.principalId) {
    return { principal: member.principalId, person: member.personId }
  }
  const target = await findEnabledPrincipal(tx, member.orgId, targetId)
  if (target === undefined) throw invalidMember('target_user', 'names nobody')
  return { principal: targetId, person: target.person_id }
}

async function pickWorkflow(tx: Tx, member: Member, question: RoleQuestion): Promise<WorkflowRow> {
  const { orgId } = member
  const { roleId: groupId, operation, workflowId } = question
  const heldGroups = heldRoles(member)
  if (workflowId === null) {
    const oldest = await findOldestWorkflowForShare(tx, orgId, { groupId, operation, heldGroups })
    if (oldest === undefined) throw invalidMember('requested_role', 'cannot be asked for by any workflow')
    return oldest
  }
  const named = await findWorkflowForShare(tx, orgId, workflowId)
  if (named === undefined) throw invalidMember('workflow', 'names no workflow')
  if (!named.target_groups.includes(groupId)) throw invalidMember('workflow', 'is not about this role')
  const isFor = named.requester_groups.length === 0 || named.requester_groups.some((id) => heldGroups.includes(id))
  if (!isFor || (named.operation !== operation && named.operation !== 'BOTH')) {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'This workflow is not for this request.')
  }
  if (!named.is_by_admin && (await makesAdmin(tx, orgId, groupId))) {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'No administrator wrote how this role is given.')
  }
  return named
}

function limitsOf({ grant_kinds, max_floating_hours, max_restricted_days }: WorkflowRow): GrantLimits {
  return { kinds: grant_kinds, maxFloatingHours: max_floating_hours, maxRestrictedDays: max_restricted_days }
}

function termsOf(asked: Partial<GrantTerms>, limits: GrantLimits, now: Date): GrantTerms {
  const kind = asked.kind ?? defaultKind(limits.kinds)
  if (kind === null) throw new AppError('GRANT_TERMS_INVALID', 'Say which type of grant.', { field: 'kind' })
  const terms = { ...asked, kind }
  const problem = checkTerms(terms, limits, now.getTime())
  if (problem !== null) {
    throw new AppError('GRANT_TERMS_INVALID', `It ${problem.reason}.`, { field: problem.field })
  }
  return terms
}

interface Wish {
  readonly targetId: string
  readonly roleId: string
  readonly operation: 'GRANT' | 'REMOVE'
  readonly now: Date
}

/** Only what is not there can be given, and only what was given can be taken away. */
async function requireSense(tx: Tx, orgId: string, { targetId, roleId, operation, now }: Wish): Promise<void> {
  const standing = await findStandingGrant(tx, orgId, targetId, roleId)
  if (operation === 'GRANT' && standing?.kind === 'permanent') throw new AppError('ROLE_HELD_ALREADY')
  const isOver = standing?.ends_at !== null && standing !== undefined && standing.ends_at <= now
  if (operation === 'REMOVE' && (standing === undefined || isOver)) throw new AppError('ROLE_NOT_HELD')
}
