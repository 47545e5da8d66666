import type { Ctx } from '../context.ts'
import {
  countRequestable,
  countWorkflows,
  findWorkflow,
  listRequestable,
  listWorkflows,
  type RequestableRow,
  type WorkflowOrder,
  type WorkflowRow,
} from '../store/privx-workflows.ts'
import { findRoleHandles, type Handles } from '../store/privx-handles.ts'
import type { Listed, Range } from '../store/page.ts'
import { workflowNotFound } from './write-workflow.ts'
import { heldRoles, type Member } from './member.ts'

/** A workflow, with the names that its roles have now. */
export interface ShownWorkflow {
  readonly row: WorkflowRow
  readonly roles: Handles
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED, WORKFLOW_TEMPLATE_NOT_FOUND */
export async function readWorkflow(ctx: Ctx, member: Member, id: string): Promise<ShownWorkflow> {
  requireView(member)
  const row = await findWorkflow(ctx.db, member.orgId, id)
  if (row === undefined) throw workflowNotFound()
  return { row, roles: await findRoleHandles(ctx.db, member.orgId, rolesIn(row)) }
}

/**
 * Whether there is such a workflow for this caller to change, asked before anything that they sent is looked at.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, WORKFLOW_TEMPLATE_NOT_FOUND
 */
export async function requireChangeableWorkflow(ctx: Ctx, member: Member, id: string): Promise<void> {
  member.access.require('workflows-manage')
  if ((await findWorkflow(ctx.db, member.orgId, id)) === undefined) throw workflowNotFound()
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED */
export async function readWorkflows(
  ctx: Ctx,
  member: Member,
  order: WorkflowOrder,
  range: Range,
): Promise<Listed<ShownWorkflow>> {
  requireView(member)
  const { orgId } = member
  const [rows, total] = await Promise.all([listWorkflows(ctx.db, orgId, order, range), countWorkflows(ctx.db, orgId)])
  const roles = await findRoleHandles(ctx.db, orgId, rows.flatMap(rolesIn))
  return { items: rows.map((row) => ({ row, roles })), total }
}

/** Who may change workflows may read them. @throws AppError REQUESTOR_NOT_AUTHORIZED */
export function requireView({ access }: Member): void {
  if (!access.may('workflows-manage')) access.require('workflows-view')
}

/** The roles that the caller could ask for now, each with every workflow that they could ask by. */
export async function readRequestable(ctx: Ctx, member: Member, range: Range): Promise<Listed<RequestableRow>> {
  const { orgId } = member
  const held = heldRoles(member)
  const [items, total] = await Promise.all([
    listRequestable(ctx.db, orgId, held, range),
    countRequestable(ctx.db, orgId, held),
  ])
  return { items, total }
}

function rolesIn({ target_groups, requester_groups, steps }: WorkflowRow): string[] {
  const approvers = steps.flatMap((step) => step.approvers.map(({ groupId }) => groupId))
  return [...target_groups, ...requester_groups, ...approvers]
}
