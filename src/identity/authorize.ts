import { AppError } from '../errors.ts'
import type { RoleBinding } from '../store/principals.ts'
import type { Actor } from './actor.ts'
import { findRole, holds, type Permission } from './roles.ts'

/** What a permission is asked for. A template lies in a space, and is covered by roles on either. */
export type Resource =
  | { readonly type: 'organization' }
  | { readonly type: 'group'; readonly id: string }
  | { readonly type: 'space'; readonly id: string }
  | { readonly type: 'workflow_template'; readonly name: string; readonly spaceId: string | null }

/**
 * The one authorization check: an organization admin may everything but vote; anyone else needs a role that holds the
 * permission at a scope covering the resource (contract §4.1, §3.3).
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export function authorize(actor: Actor, permission: Permission, resource: Resource): void {
  if (!isAllowed(actor, permission, resource)) {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', `This needs the permission "${permission.split(':')[1]}" here.`)
  }
}

export function isAllowed(actor: Actor, permission: Permission, resource: Resource): boolean {
  if (actor.isAdmin && permission !== 'workflow_template:vote') return true
  return isGranted(actor.bindings, permission, resource)
}

/** Whether these role bindings alone grant it: what counts for a vote, where being an admin does not help. */
export function isGranted(bindings: readonly RoleBinding[], permission: Permission, resource: Resource): boolean {
  return bindings.some((binding) => {
    const role = findRole(binding.roleName)
    return role !== undefined && holds(role, permission) && covers(binding, resource)
  })
}

/** What a role may give in the dialect whose roles carry permissions (contract privx §2.2). */
export type AccessPermission =
  | 'privx-admin'
  | 'workflows-view'
  | 'workflows-manage'
  | 'workflows-requests'
  | 'workflows-requests-on-behalf'
  | 'requests-view'

/**
 * Whether roles that hold these permissions let somebody do it: `privx-admin` gives all of them, and so does being an
 * organization admin; asking for oneself and deciding is for everyone.
 */
export function mayAccess(actor: Actor, held: ReadonlySet<string>, permission: AccessPermission): boolean {
  return permission === 'workflows-requests' || actor.isAdmin || held.has('privx-admin') || held.has(permission)
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED */
export function requireAccess(actor: Actor, held: ReadonlySet<string>, permission: AccessPermission): void {
  if (!mayAccess(actor, held, permission)) {
    throw new AppError('REQUESTOR_NOT_AUTHORIZED', `This needs a role with the permission "${permission}".`)
  }
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED unless the caller is a human who is an organization admin */
export function requireAdmin(actor: Actor): void {
  if (!actor.isAdmin) throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'Only an organization admin may do this.')
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED when an agent calls what is for people */
export function requireHuman(actor: Actor): void {
  if (actor.kind !== 'human') throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'Only a person may do this, not an agent.')
}

function covers(binding: RoleBinding, resource: Resource): boolean {
  switch (binding.scopeType) {
    case 'org':
      return true
    case 'space':
      return (
        (resource.type === 'space' && resource.id === binding.scopeId) ||
        (resource.type === 'workflow_template' && resource.spaceId === binding.scopeId)
      )
    case 'group':
      return resource.type === 'group' && resource.id === binding.scopeId
    case 'workflow_template':
      return resource.type === 'workflow_template' && resource.name === binding.scopeId
  }
}
