import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, type Actor } from '../identity/actor.ts'
import { requireQuota } from '../identity/require-quota.ts'
import { countPolicyNames, insertPolicy } from '../store/policies.ts'
import { lockSpace } from '../store/spaces.ts'
import { transact } from '../store/unit-of-work.ts'
import { sealActions, type Action } from './actions.ts'
import { policyInLeaf } from './policy-leaf.ts'
import { requireMayCreatePolicy } from './policy-access.ts'
import { decidingColumns, openPolicy, type OpenPolicy, type PolicyBehaviour, type PolicyRules } from './policy.ts'
import { findPolicyWarnings, type PolicyWarning } from './policy-warnings.ts'

export interface NewPolicy {
  readonly name: string
  readonly description: string | null
  readonly spaceId: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly rules: PolicyRules
  readonly behaviour: PolicyBehaviour
  readonly actions: readonly Action[]
  readonly defaultExpiresInHours: number | null
}

export interface WrittenPolicy {
  readonly policy: OpenPolicy
  readonly warnings: readonly PolicyWarning[]
}

/**
 * Makes the first version of a policy, active at once. Its name is taken for as long as any version exists.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, REFERENCED_SPACE_NOT_FOUND, WORKFLOW_TEMPLATE_ALREADY_EXISTS, QUOTA_EXCEEDED
 */
export async function createPolicy(ctx: Ctx, actor: Actor, input: NewPolicy): Promise<WrittenPolicy> {
  const { orgId } = actor
  const deciding = decidingColumns(input.rules, input.behaviour)
  requireMayCreatePolicy(actor, input.spaceId)
  const { row, warnings } = await transact(ctx, actor.once, async (tx) => {
    if ((await lockSpace(tx, orgId, input.spaceId)) === undefined) {
      throw new AppError('REFERENCED_SPACE_NOT_FOUND', undefined, { field: 'spaceId' })
    }
    const at = ctx.clock.now()
    const policy = await insertPolicy(tx, {
      org_id: orgId,
      id: ctx.newId(),
      dialect: 'native',
      space_id: input.spaceId,
      name: input.name,
      version: 1,
      description: input.description,
      metadata: JSON.stringify(input.metadata),
      status: 'active',
      takes_votes_when_inactive: true,
      ...deciding,
      actions: sealActions(ctx, input.actions),
      default_expires_in_hours: input.defaultExpiresInHours,
      row_version: 1,
      created_at: at,
      updated_at: at,
    })
    const place = { scope: 'Space', id: input.spaceId } as const
    const names = () => countPolicyNames(tx, orgId, input.spaceId)
    await requireQuota(tx, orgId, 'MAX_WORKFLOW_TEMPLATES_PER_SPACE', [place], names, 0)
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'template.created',
      subjectId: policy.id,
      actor: leafActorOf(actor),
      at,
      ...policyInLeaf(ctx, policy),
    })
    return { row: policy, warnings: await findPolicyWarnings(tx, orgId, policy, policy.group_ids) }
  })
  return { policy: openPolicy(ctx, row), warnings }
}
