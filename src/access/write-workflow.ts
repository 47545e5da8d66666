import { appendLeaf } from '../audit/append.ts'
import type { Leaf } from '../audit/leaf.ts'
import { decidingColumns } from '../approvals/policy.ts'
import { retire } from '../approvals/deprecate-policy.ts'
import { sealActions } from '../approvals/actions.ts'
import { policyInLeaf } from '../approvals/policy-leaf.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { leafActorOf } from '../identity/actor.ts'
import type { Tx } from '../store/open.ts'
import { findPolicyForShare, insertPolicy, type PolicyRow } from '../store/policies.ts'
import {
  insertWorkflow,
  lockWorkflow,
  markWorkflowDeleted,
  updateWorkflow,
  type WorkflowRow,
} from '../store/privx-workflows.ts'
import type { WorkflowStep } from '../store/schema-access.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { requireMayTarget, requireSound } from './check-workflow.ts'
import { columnsOf, stagesOf, stepsOf, workflowOptions, type WorkflowContent } from './workflow.ts'
import type { Member } from './member.ts'

/**
 * Makes a workflow: how holders of a role, or those who want it, ask for a change of it, and who decides.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, INVALID_MEMBER
 */
export async function createWorkflow(ctx: Ctx, member: Member, content: WorkflowContent): Promise<{ id: string }> {
  member.access.require('workflows-manage')
  const { orgId, principalId } = member
  return await transact(ctx, member.once, async (tx) => {
    const isByAdmin = await requireMayTarget(tx, member, content.targetRoles)
    await requireSound(tx, orgId, content)
    const at = ctx.clock.now()
    const steps = stepsOf(content.steps, [], ctx.newId)
    const policy = await writePolicy(ctx, tx, member, { content, steps, at, replaces: null })
    const id = ctx.newId()
    await insertWorkflow(tx, {
      org_id: orgId,
      id,
      policy_id: policy.id,
      version: policy.version,
      ...columnsOf(content, steps),
      is_by_admin: isByAdmin,
      author_id: principalId,
      created_at: at,
      updated_by: principalId,
      updated_at: at,
      deleted_at: null,
    })
    await appendLeaf(ctx, tx, {
      ...leafOf(member, id, at),
      kind: 'workflow.created',
      ...workflowInLeaf(policy, content, steps, isByAdmin),
    })
    return { id }
  })
}

/**
 * Replaces what a workflow says. Its requests go on as they were made (contract privx §3.4).
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, WORKFLOW_TEMPLATE_NOT_FOUND, INVALID_MEMBER
 */
export async function changeWorkflow(ctx: Ctx, member: Member, id: string, content: WorkflowContent): Promise<void> {
  member.access.require('workflows-manage')
  const { orgId, principalId } = member
  await transact(ctx, member.once, async (tx) => {
    await lockFacts(tx, orgId)
    const before = await lockWorkflow(tx, orgId, id)
    if (before === undefined) throw workflowNotFound()
    const isByAdmin = await requireMayTarget(tx, member, [...before.target_groups, ...content.targetRoles])
    await requireSound(tx, orgId, content)
    const at = ctx.clock.now()
    const steps = stepsOf(content.steps, before.steps, ctx.newId)
    const replaces = await retirePolicyOf(ctx, tx, member, before, at)
    const policy = await writePolicy(ctx, tx, member, { content, steps, at, replaces })
    await updateWorkflow(tx, orgId, id, {
      policy_id: policy.id,
      version: policy.version,
      ...columnsOf(content, steps),
      is_by_admin: isByAdmin,
      updated_by: principalId,
      updated_at: at,
    })
    await appendLeaf(ctx, tx, {
      ...leafOf(member, id, at),
      kind: 'workflow.changed',
      ...workflowInLeaf(policy, content, steps, isByAdmin),
    })
  })
}

/**
 * Takes a workflow out of use. Its requests go on.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, WORKFLOW_TEMPLATE_NOT_FOUND
 */
export async function deleteWorkflow(ctx: Ctx, member: Member, id: string): Promise<void> {
  member.access.require('workflows-manage')
  const { orgId, principalId } = member
  await transact(ctx, member.once, async (tx) => {
    await lockFacts(tx, orgId)
    const before = await lockWorkflow(tx, orgId, id)
    if (before === undefined) throw workflowNotFound()
    const at = ctx.clock.now()
    await retirePolicyOf(ctx, tx, member, before, at)
    await markWorkflowDeleted(tx, orgId, id, principalId, at)
    await appendLeaf(ctx, tx, { ...leafOf(member, id, at), kind: 'workflow.deleted', facts: {} })
  })
}

function leafOf(member: Member, subjectId: string, at: Date) {
  return { orgId: member.orgId, subjectId, actor: leafActorOf(member), at }
}

/** What a workflow says: who decides, which its policy tells too, with the ids of steps and places. */
function workflowInLeaf(
  { id: policy }: PolicyRow,
  content: WorkflowContent,
  steps: readonly WorkflowStep[],
  byAdmin: boolean,
): Pick<Leaf, 'facts' | 'privateText'> {
  const { name, comment, steps: _, ...rest } = content
  // A step need not have a name.
  const stepNames = steps.flatMap((step, index) => (step.name === '' ? [] : [[`steps[${index}].name`, step.name]]))
  const unnamed = steps.map(({ id, match, approvers }) => ({ id, match, approvers }))
  return {
    facts: { policy, ...rest, byAdmin, steps: unnamed },
    privateText: { name, comment, ...Object.fromEntries(stepNames) },
  }
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
async function writePolicy(ctx: Ctx, tx: Tx, member: Member, written: WrittenPolicy): Promise<PolicyRow> {
  const { content, steps, at, replaces } = written
  const policy = await insertPolicy(tx, {
    org_id: member.orgId,
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
  await appendLeaf(ctx, tx, {
    orgId: member.orgId,
    kind: replaces === null ? 'template.created' : 'template.updated',
    subjectId: policy.id,
    actor: leafActorOf(member),
    at,
    ...policyInLeaf(ctx, policy, replaces === null ? {} : { replaces: replaces.id }),
  })
  return policy
}

async function retirePolicyOf(
  ctx: Ctx,
  tx: Tx,
  member: Member,
  { org_id, policy_id }: WorkflowRow,
  at: Date,
): Promise<PolicyRow> {
  const active = await findPolicyForShare(tx, org_id, policy_id)
  if (active === undefined) throw new Error(`policy ${policy_id} of a workflow is missing`)
  await retire(ctx, tx, leafActorOf(member), active, false, at)
  return active
}
