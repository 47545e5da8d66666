import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, loadActor, type Caller } from '../identity/actor.ts'
import { requirePrincipal } from '../identity/admin-key.ts'
import { authorize } from '../identity/authorize.ts'
import { requireQuota } from '../identity/require-quota.ts'
import type { Tx } from '../store/open.ts'
import { findPolicyForShare, type PolicyRow } from '../store/policies.ts'
import type { QuotaTarget } from '../store/quotas.ts'
import { countRequests } from '../store/request-list.ts'
import { transact } from '../store/unit-of-work.ts'
import { openRequest } from './open-request.ts'

export interface SubmitRequestInput {
  readonly name: string
  readonly description: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly policyId: string
}

const hour = 3_600_000
/** Life of a request whose policy names none (contract §3.5). */
const defaultLifeHours = 30 * 24

/**
 * Opens a request under an active policy. Its content is fixed by a digest, which every vote names.
 * @returns the request's id
 * @throws AppError REFERENCED_WORKFLOW_TEMPLATE_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED, WORKFLOW_TEMPLATE_NOT_ACTIVE,
 *   WORKFLOW_ALREADY_EXISTS, QUOTA_EXCEEDED (contract §1.4)
 */
export async function submitRequest(ctx: Ctx, caller: Caller, input: SubmitRequestInput): Promise<{ id: string }> {
  return await transact(ctx, caller.once, async (tx) => {
    requirePrincipal(caller)
    const actor = await loadActor(tx, caller)
    // Shared with other submissions, exclusive with the change that ends the version: no request slips in behind it.
    const policy = await findPolicyForShare(tx, caller.orgId, input.policyId)
    if (policy?.dialect !== 'native') {
      throw new AppError('REFERENCED_WORKFLOW_TEMPLATE_NOT_FOUND', undefined, { field: 'workflowTemplateId' })
    }
    const template = { type: 'workflow_template', name: policy.name, spaceId: policy.space_id } as const
    authorize(actor, 'workflow_template:instantiate', template)
    if (policy.status !== 'active') {
      throw new AppError('WORKFLOW_TEMPLATE_NOT_ACTIVE', undefined, { field: 'workflowTemplateId' })
    }

    const at = ctx.clock.now()
    const { name, description, metadata } = input
    const id = await openRequest(tx, ctx, {
      policy,
      actor: leafActorOf(caller),
      requester: { principal: actor.principalId, person: actor.personId },
      name,
      description,
      metadata,
      expiresAt: new Date(at.getTime() + (policy.default_expires_in_hours ?? defaultLifeHours) * hour),
    })
    await requireRoomFor(tx, policy, at)
    return { id }
  })
}

/**
 * The open requests of a version, the new one among them: asked after the insert, since a name that is taken is told before a
 * quota that is full (contract §0, §5).
 */
async function requireRoomFor(tx: Tx, { org_id: orgId, id, space_id: spaceId }: PolicyRow, now: Date): Promise<void> {
  const targets: QuotaTarget[] = [{ scope: 'WorkflowTemplate', id }]
  if (spaceId !== null) targets.push({ scope: 'Space', id: spaceId })
  const open = () => countRequests(tx, { orgId, policyIds: [id], onlyOpen: true, now })
  await requireQuota(tx, orgId, 'MAX_CONCURRENT_WORKFLOWS', targets, open, 0)
}
