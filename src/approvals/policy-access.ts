import { AppError } from '../errors.ts'
import type { Actor } from '../identity/actor.ts'
import { authorize, isAllowed, requireHuman } from '../identity/authorize.ts'
import { findRole, holds } from '../identity/roles.ts'
import type { Ctx } from '../context.ts'
import { findPolicyByKey, type PolicyKey, type PolicyRow } from '../store/policies.ts'

/**
 * A policy is made by a person who may write policies in its space, or who manages the space (contract §1.5). A role on a
 * policy's name does not help: it would let its holder bring a deleted policy back in a space of their choice.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export function requireMayCreatePolicy(actor: Actor, spaceId: string): void {
  requireHuman(actor)
  const space = { type: 'space', id: spaceId } as const
  if (!isAllowed(actor, 'workflow_template:write', space) && !isAllowed(actor, 'space:manage', space)) throw refusal()
}

/**
 * A policy is changed by whoever might have made it, and by who may write this one. Of one that does not exist only those
 * are told who write something somewhere.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export function requireMayChangePolicy(
  actor: Actor,
  policy: { readonly name: string; readonly space_id: string | null } | undefined,
): void {
  requireHuman(actor)
  if (!(policy === undefined ? mayWriteSomething(actor) : mayWrite(actor, policy.name, policy.space_id)))
    throw refusal()
}

/**
 * What belongs to no policy is for people who may write every policy there is.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export function requireMayWritePolicies(actor: Actor): void {
  requireHuman(actor)
  authorize(actor, 'workflow_template:write', { type: 'organization' })
}

/**
 * The policy that the caller wants to change, checked before anything else that they sent.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function findPolicyToChange(ctx: Ctx, actor: Actor, key: PolicyKey): Promise<PolicyRow | undefined> {
  const policy = await findPolicyByKey(ctx.db, actor.orgId, key)
  requireMayChangePolicy(actor, policy)
  return policy
}

function mayWrite(actor: Actor, name: string, spaceId: string | null): boolean {
  return (
    isAllowed(actor, 'workflow_template:write', { type: 'workflow_template', name, spaceId }) ||
    (spaceId !== null && isAllowed(actor, 'space:manage', { type: 'space', id: spaceId }))
  )
}

function mayWriteSomething(actor: Actor): boolean {
  const roles = actor.bindings.map(({ roleName }) => findRole(roleName)).filter((role) => role !== undefined)
  return actor.isAdmin || roles.some((role) => holds(role, 'workflow_template:write') || holds(role, 'space:manage'))
}

function refusal(): AppError {
  return new AppError('REQUESTOR_NOT_AUTHORIZED', 'This needs the permission to write templates in this space.')
}
