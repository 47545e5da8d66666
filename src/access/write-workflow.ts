import { appendLeaf } from '../audit/append.ts'
import { decidingColumns } from '../approvals/policy.ts'
import { retire } from '../approvals/deprecate-policy.ts'
import { sealActions } from '../approvals/actions.ts'
import { policyInLeaf } from '../approvals/policy-leaf.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf, type Actor } from '../identity/actor.ts'
import type { Tx } from '../store/open.ts'
import { findPolicyForShare, insertPolicy, type PolicyRow } from '../store/policies.ts'
import {
  insertWorkflow,
  lockWorkflow,
  markWorkflowDeleted,
  updateWorkflow,
  type WorkflowRow,
} from '../store/privx-workflows.ts'
import type { WorkflowStep } from '../store/schema.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/voting.ts'
import { requireSound } from './check-workflow.ts'
import { requireAccess } from './rights.ts'
import { columnsOf, stagesOf, stepsOf, workflowOptions, type WorkflowContent } from './workflow.ts'

/**
 * Makes a workflow: how holders of a role, or those who want it, ask for a change of it, and who decides.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, INVALID_MEMBER
 */
export async function createWorkflow(ctx: Ctx, actor: Actor, content: WorkflowContent): Promise<{ id: string }> {
  requireAccess(actor, 'workflows-manage')
  const { orgId, principalId } = actor
  return await transact(ctx, actor.once, async (tx) => {
    await requireSound(tx, orgId, content)
    const at = ctx.clock.now()
    const steps = stepsOf(content.steps, [], ctx.newId)
    const policy = await writePolicy(ctx, tx, actor, { content, steps, at, replaces: null })
    const id = ctx.newId()
    await insertWorkflow(tx, {
      org_id: orgId,
      id,
      policy_id: policy.id,
      version: policy.version,
      ...columnsOf(content, steps),
      author_id: principalId,
      created_at: at,
      updated_by: principalId,
      updated_at: at,
      deleted_at: null,
    })
    return { id }
  })
}

/**
 * Replaces what a workflow says. Its requests go on as they were made (contract privx §3.4).
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, WORKFLOW_TEMPLATE_NOT_FOUND, INVALID_MEMBER
 */
export async function changeWorkflow(ctx: Ctx, actor: Actor, id: string, content: WorkflowContent): Promise<void> {
  requireAccess(actor, 'workflows-manage')
  const { orgId, principalId } = actor
  await transact(ctx, actor.once, async (tx) => {
    await lockFacts(tx, orgId)
    const before = await lockWorkflow(tx, orgId, id)
    if (before === undefined) throw workflowNotFound()
    await requireSound(tx, orgId, content)
    const at = ctx.clock.now()
    const steps = stepsOf(content.steps, before.steps, ctx.newId)
    const replaces = await retirePolicyOf(ctx, tx, actor, before, at)
    const policy = await writePolicy(ctx, tx, actor, { content, steps, at, replaces })
    await updateWorkflow(tx, orgId, id, {
      policy_id: policy.id,
      version: policy.version,
      ...columnsOf(content, steps),
      updated_by: principalId,
      updated_at: at,
    })
  })
}

/**
 * Takes a workflow out of use. Its requests go on.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, WORKFLOW_TEMPLATE_NOT_FOUND
 */
export async function deleteWorkflow(ctx: Ctx, actor: Actor, id: string): Promise<void> {
  requireAccess(actor, 'workflows-manage')
  const { orgId, principalId } = actor
  await transact(ctx, actor.once, async (tx) => {
    await lockFacts(tx, orgId)
    const before = await lockWorkflow(tx, orgId, id)
    if (before === undefined) throw workflowNotFound()
    const at = ctx.clock.now()
    await retirePolicyOf(ctx, tx, actor, before, at)
    await markWorkflowDeleted(tx, orgId, id, principalId, at)
  })
}

export function workflowNotFound(): AppError {
  return new AppError('WORKFLOW_TEMPLATE_NOT_FOUND', 'No such workflow.')
}

interface WrittenPolicy {
  readonly content: WorkflowContent
  readonly steps: readonly WorkflowStep[]
  readonly at: Date
  /** The version before. */
  readonly replaces: PolicyRow | null
}

/** What new requests are decided by from now on. */
async function writePolicy(ctx: Ctx, tx: Tx, actor: Actor, written: WrittenPolicy): Promise<PolicyRow> {
  const { content, steps, at, replaces } = written
  const policy = await insertPolicy(tx, {
    org_id: actor.orgId,
    id: ctx.newId(),
    dialect: 'privx',
    space_id: null,
    name: content.name,
    version: (replaces?.version ?? 0) + 1,
    description: content.comment === '' ? null : content.comment,
    metadata: '{}',
    status: 'active',
    takes_votes_when_inactive: true,
    ...decidingColumns({ written: steps, stages: stagesOf(steps) }, { written: null, options: workflowOptions }),
    actions: sealActions(ctx, []),
    default_expires_in_hours: null,
    row_version: 1,
    created_at: at,
    updated_at: at,
  })
  await appendLeaf(tx, {
    orgId: actor.orgId,
    kind: replaces === null ? 'template.created' : 'template.updated',
    subjectId: policy.id,
    actor: leafActorOf(actor),
    at,
    ...policyInLeaf(policy, replaces === null ? {} : { replaces: replaces.id }),
  })
  return policy
}

async function retirePolicyOf(
  ctx: Ctx,
  tx: Tx,
  actor: Actor,
  { org_id, policy_id }: WorkflowRow,
  at: Date,
): Promise<PolicyRow> {
  const active = await findPolicyForShare(tx, org_id, policy_id)
  if (active === undefined) throw new Error(`policy ${policy_id} of a workflow is missing`)
  await retire(ctx, tx, leafActorOf(actor), active, false, at)
  return active
}
