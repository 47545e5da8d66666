import { refuseMembers, type Violation } from '../errors.ts'
import { refuseApiKey } from '../identity/api-keys/access.ts'
import type { Tx } from '../store/open.ts'
import { findRoleHandles } from '../store/privx-handles.ts'
import { findRolesAmong } from '../store/roles.ts'
import type { Member } from './member.ts'
import { findSettings } from './settings.ts'
import type { WorkflowContent } from './workflow.ts'

/**
 * Refuses a workflow that names a role that does not exist, or one twice in a step, or more approvers than the settings allow.
 * @throws AppError INVALID_MEMBER, naming each place
 */
export async function requireSound(tx: Tx, orgId: string, content: WorkflowContent): Promise<void> {
  const named = rolesNamed(content)
  const { maxApprovers } = await findSettings(tx, orgId)
  const handles = await findRoleHandles(
    tx,
    orgId,
    named.map(({ roleId }) => roleId),
  )
  const unknown = named.filter(({ roleId }) => handles.get(roleId)?.isDeleted !== false)
  const problems = [
    ...crowdedSteps(content, maxApprovers),
    ...unknown.map(({ field }) => ({ field, message: `${field} names no role.` })),
    ...repeatedRoles(content),
  ]
  refuseMembers(problems)
}

/**
 * Refuses to let anyone but an administrator write how to become one: who decides on that could be whoever they like. Nor may an
 * API key, which could make itself a caller that outlives its revocation.
 * @returns whether a role that makes an administrator may be asked for by what is written
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function requireMayTarget(tx: Tx, member: Member, roleIds: readonly string[]): Promise<boolean> {
  const roles = await findRolesAmong(tx, member.orgId, roleIds)
  if ([...roles.values()].some(({ permissions }) => permissions.includes('privx-admin'))) {
    member.access.require('privx-admin')
    refuseApiKey(member)
  }
  return member.access.may('privx-admin') && member.machine === undefined
}

interface NamedRole {
  readonly field: string
  readonly roleId: string
}

function rolesNamed({ targetRoles, requesterRoles, steps }: WorkflowContent): NamedRole[] {
  return [
    ...targetRoles.map((roleId, index) => ({ field: `target_roles[${index}].id`, roleId })),
    ...requesterRoles.map((roleId, index) => ({ field: `requester_roles[${index}].id`, roleId })),
    ...steps.flatMap(({ approvers }, step) =>
      approvers.map(({ roleId }, place) => ({ field: `steps[${step}].approvers[${place}].role.id`, roleId })),
    ),
  ]
}

function crowdedSteps({ steps }: WorkflowContent, most: number): Violation[] {
  return steps.flatMap(({ approvers }, step) => {
    if (approvers.length <= most) return []
    const field = `steps[${step}].approvers`
    return [{ field, message: `${field} has more approvers than the ${most} that the settings allow.` }]
  })
}

/** A role has one place in a step: the votes for it could not be told apart. */
function repeatedRoles({ steps }: WorkflowContent): Violation[] {
  return steps.flatMap(({ approvers }, step) => {
    const ids = approvers.map(({ roleId }) => roleId)
    return ids.flatMap((roleId, place) => {
      if (ids.indexOf(roleId) === place) return []
      const field = `steps[${step}].approvers[${place}].role.id`
      return [{ field, message: `${field} names a role that the step names already.` }]
    })
  })
}
